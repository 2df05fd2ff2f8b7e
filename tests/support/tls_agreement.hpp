// A session between another library and us: OpenSSL shakes hands for us and hands over, and from then on RecordReader
// and RecordWriter talk to the library. Random traffic both ways, at random times, in pieces of random sizes;
// KeyUpdates and tickets in the middle; and an end: both ways in order, or by a record that is changed on its way.
#pragma once

#include <algorithm>
#include <random>
#include <stdexcept>
#include <string>

#include "support/openssl_end.hpp"
#include "support/tls_end.hpp"
#include "support/tls_records.hpp"

namespace wsp::test {

// What has happened in one session or more, so that a test can see that it did.
struct AgreementCounts {
    std::uint64_t sessions = 0;
    std::uint64_t bytes_sent = 0;
    std::uint64_t bytes_received = 0;
    std::uint64_t key_updates_sent = 0;
    std::uint64_t key_updates_asked = 0;  // of the library
    std::uint64_t tickets = 0;
    std::uint64_t moves = 0;   // of our state, by its image
    std::uint64_t broken = 0;  // sessions that ended by a changed record
};

// Throws std::runtime_error where the two do not agree.
class TlsAgreement {
  public:
    TlsAgreement(RecordCrypto& crypto, TlsSuite suite, TlsRole our_role,
                 std::unique_ptr<TlsEnd> peer, unsigned seed, AgreementCounts& counts)
        : crypto_(crypto), peer_(std::move(peer)), random_(seed), counts_(counts) {
        OpenSslEnd ours(suite, our_role);
        const TlsRole peer_role = our_role == TlsRole::client ? TlsRole::server : TlsRole::client;
        shake_hands(ours);
        writer_ = RecordWriter::make(crypto, suite, ours.secret_of(our_role), ours.sent());
        reader_ = RecordReader::make(crypto, suite, ours.secret_of(peer_role), ours.received(),
                                     peer_role);
        expect(writer_ && reader_, "no keys");
        key_updates_left_ = peer_->key_updates_accepted();
        we_ask_ = random_() % 2 == 0 || peer_->takes_crossed_requests();
        they_ask_ = !we_ask_ || peer_->takes_crossed_requests();
        ++counts_.sessions;
    }

    // `steps` random steps and then an end.
    void run(unsigned steps) {
        for (unsigned i = 0; i < steps; ++i) {
            step();
            deliver(random_() % 4 == 0);
        }
        deliver(true);
        if (random_() % 4 == 0) {
            break_off();
        } else {
            close();
        }
    }

  private:
    static void expect(bool holds, const char* what) {
        if (!holds) {
            throw std::runtime_error(what);
        }
    }

    void shake_hands(OpenSslEnd& ours) {
        bool we_are_done = false;
        bool they_are_done = false;
        for (int i = 0; i < 10 && !(we_are_done && they_are_done); ++i) {
            we_are_done = ours.shake_hands();
            peer_->receive(ours.take_sent());
            they_are_done = they_are_done || peer_->shake_hands();
            ours.receive(peer_->take_sent());
        }
        expect(we_are_done && they_are_done, "no handshake");
        // Tickets of ours, and those of the peer that came with its Finished: what OpenSSL has read must be counted.
        peer_->receive(ours.take_sent());
        expect(peer_->read().empty() && ours.read().empty(), "data before any was written");
    }

    std::string some_data() {
        static constexpr std::size_t kMost[] = {3, 200, 1400, 17000, 70000};
        std::string plain(random_() % kMost[random_() % 5], '\0');
        std::uint32_t state = random_();
        for (char& byte : plain) {
            state = state * 1664525u + 1013904223u;
            byte = static_cast<char>(state >> 24);
        }
        return plain;
    }

    void step() {
        switch (random_() % 12) {
            case 0:
                update_our_key();
                return;
            case 1:
                peer_->update_key(they_ask_ && random_() % 2 == 0);
                ++counts_.key_updates_asked;
                return;
            case 2:
                peer_->send_ticket();
                ++counts_.tickets;
                return;
            case 3:
                move_our_state();
                return;
            default:
                random_() % 2 == 0 ? we_write() : they_write();
        }
    }

    void we_write() {
        answer_key_update();
        const std::string plain = some_data();
        for (std::size_t at = 0;
             at < plain.size() || random_() % 8 == 0;) {  // at times an empty record
            const std::size_t size =
                std::min<std::size_t>(plain.size() - at, random_() % (kMaxRecordPlain + 1));
            std::string wire(size + kRecordOverhead, '\0');
            expect(
                writer_->seal(crypto_, bytes_of(plain) + at, size, bytes_of(wire)) == wire.size(),
                "no seal");
            to_them_ += wire;
            at += size;
        }
        we_sent_ += plain;
        counts_.bytes_sent += plain.size();
    }

    void they_write() {
        const std::string plain = some_data();
        peer_->write(plain, random_);
        they_sent_ += plain;
    }

    void update_our_key() {
        if (key_updates_left_ > 0) {
            seal_key_update(we_ask_ && random_() % 2 == 0);
        }
    }

    void seal_key_update(bool request) {
        std::string wire(RecordWriter::kKeyUpdateRecord, '\0');
        expect(writer_->seal_key_update(crypto_, request, bytes_of(wire)) == wire.size(),
               "no KeyUpdate");
        to_them_ += wire;
        --key_updates_left_;
        ++counts_.key_updates_sent;
    }

    void answer_key_update() {
        if (reader_->key_update_requested() && key_updates_left_ > 0) {
            seal_key_update(false);
            reader_->clear_key_update_requested();
        }
    }

    void move_our_state() {
        reader_ = moved_by_image(std::move(reader_));
        writer_ = moved_by_image(std::move(writer_));
        ++counts_.moves;
    }

    // Some of what is on its way, or all of it.
    void deliver(bool all) {
        to_us_ += peer_->take_sent();
        const std::size_t ours = all ? to_us_.size() : random_() % (to_us_.size() + 1);
        const std::size_t theirs = all ? to_them_.size() : random_() % (to_them_.size() + 1);
        for (std::size_t at = 0; at < ours;) {
            const std::size_t size =
                std::min<std::size_t>(ours - at, 1 + random_() % (random_() % 2 == 0 ? 40 : 70000));
            we_hear(to_us_.substr(at, size));
            at += size;
        }
        to_us_.erase(0, ours);
        peer_->receive(to_them_.substr(0, theirs));
        to_them_.erase(0, theirs);
        they_heard_ += peer_->read();
        compare(they_heard_, we_sent_, all && to_them_.empty(),
                "they heard something else than we sent");
        // An answer to a KeyUpdate of ours may have been sent while reading.
        to_us_ += peer_->take_sent();
        if (all && !to_us_.empty()) {
            we_hear(to_us_);
            to_us_.clear();
        }
        compare(we_heard_, they_sent_, all, "we heard something else than they sent");
    }

    void we_hear(const std::string& wire) {
        held_ += wire;
        do {
            result_ = open_some(crypto_, *reader_, held_, we_heard_,
                                random_() % 2 == 0 ? 0 : kMaxRecordBody);
            counts_.bytes_received += result_.plain;
        } while (result_.stop == RecordReader::Stop::limit);
        expect(result_.stop != RecordReader::Stop::failed || may_fail_, "we failed to read");
    }

    // `heard` is the beginning of `sent`; what has been compared is forgotten.
    static void compare(std::string& heard, std::string& sent, bool whole, const char* what) {
        expect(heard.size() <= sent.size() && std::equal(heard.begin(), heard.end(), sent.begin()),
               what);
        sent.erase(0, heard.size());
        heard.clear();
        expect(!whole || sent.empty(), what);
    }

    // Both ways in order, one after the other; the later side goes on sending.
    void close() {
        const bool we_begin = random_() % 2 == 0;
        for (const bool ours : {we_begin, !we_begin}) {
            if (ours) {
                std::string wire(RecordWriter::kAlertRecord, '\0');
                expect(writer_->seal_alert(crypto_, Alert::close_notify, bytes_of(wire)) ==
                           wire.size(),
                       "no alert");
                to_them_ += wire;
                deliver(true);
                expect(peer_->got_close_notify(), "they did not hear that we close");
                if (we_begin) {
                    they_write();
                }
            } else {
                peer_->send_close_notify();
                deliver(true);
                expect(result_.stop == RecordReader::Stop::closed,
                       "we did not hear that they close");
                if (!we_begin) {
                    we_write();
                }
            }
        }
    }

    // A record that is changed on its way is the end, with the right alert, and nothing of it is heard.
    void break_off() {
        they_write();
        peer_->write("the last", random_);
        they_sent_ += "the last";
        to_us_ += peer_->take_sent();
        to_us_[random_() % to_us_.size()] ^= static_cast<char>(1 << random_() % 8);
        may_fail_ = true;
        const std::size_t sent = they_sent_.size();
        we_hear(to_us_ + std::string(kMaxRecord, 'x'));  // also where the length is another one
        expect(we_heard_.size() < sent && they_sent_.compare(0, we_heard_.size(), we_heard_) == 0,
               "we heard a changed record");
        // A version is authenticated, too.
        expect(result_.stop == RecordReader::Stop::failed, "a changed record did no harm");
        expect(result_.alert == Alert::bad_record_mac || result_.alert == Alert::record_overflow ||
                   result_.alert == Alert::unexpected_message,
               "a changed record has another alert");
        ++counts_.broken;
    }

    RecordCrypto& crypto_;
    std::unique_ptr<TlsEnd> peer_;
    std::mt19937 random_;
    AgreementCounts& counts_;
    std::optional<RecordReader> reader_;
    std::optional<RecordWriter> writer_;
    RecordReader::OpenResult result_;
    int key_updates_left_ = 0;
    bool we_ask_ = false;  // for the other side's KeyUpdates
    bool they_ask_ = false;
    bool may_fail_ = false;
    std::string to_us_, to_them_, held_;  // on the wire; the beginning of a record
    std::string we_sent_, they_heard_, they_sent_, we_heard_;
};

// One session for each suite and role; `seed` is that of the first.
inline void agree(MakeTlsEnd make, unsigned seed, unsigned steps, AgreementCounts& counts) {
    RecordCrypto crypto;
    for (const TlsSuite suite : kSuites) {
        for (const TlsRole ours : {TlsRole::client, TlsRole::server}) {
            const TlsRole theirs = ours == TlsRole::client ? TlsRole::server : TlsRole::client;
            try {
                TlsAgreement(crypto, suite, ours, make(suite, theirs), seed, counts).run(steps);
            } catch (const std::exception& fault) {
                throw std::runtime_error(
                    std::string(fault.what()) + " (" + openssl_name(suite) + ", we are the " +
                    (ours == TlsRole::client ? "client" : "server") + ", seed " +
                    std::to_string(seed) + ", " + std::to_string(steps) + " steps)");
            }
            ++seed;
        }
    }
}

}  // namespace wsp::test
