// Any records, and any bytes, cut anywhere: the reader says the same whatever the cuts are, its
// application data is what was sealed, and it stays inside its memory.
//
// The input: one byte that chooses suite and role, one for the size of the pieces, then orders. An order has a byte
// that says what comes, a byte of padding, two of size, and so many bytes, which become the content of a record, or go
// on the wire as they are.
#include <cstdio>
#include <cstdlib>

#include "support/tls_records.hpp"

using namespace wsp;
using namespace wsp::test;

namespace {

RecordCrypto crypto;

// What the orders put on the wire, and the application data in it.
struct Story {
    std::string wire;
    std::string sent;
};

class Orders {
  public:
    Orders(const std::uint8_t* data, std::size_t size) : at_(data), left_(size) {}

    Story carry_out(TlsSuite suite) {
        Story story;
        RecordForge forge(crypto, suite);
        while (left_ >= kOrder) {
            carry_out_one(forge, story);
        }
        return story;
    }

  private:
    static constexpr std::size_t kOrder = 4;

    void carry_out_one(RecordForge& forge, Story& story) {
        const unsigned what = at_[0];
        const std::size_t padding = at_[1] % 32;
        const std::size_t size =
            std::min<std::size_t>(at_[2] | (at_[3] & 0x43) << 8, left_ - kOrder);
        const std::string bytes(reinterpret_cast<const char*>(at_) + kOrder, size);
        at_ += kOrder + size;
        left_ -= kOrder + size;
        switch (what % 8) {
            case 0:
            case 1:
                story.sent += bytes;
                story.wire += forge.data(bytes, padding);
                return;
            case 2:
                story.wire += forge.record(ContentType::handshake, bytes, padding);
                return;
            case 3:
                story.wire += forge.key_update(padding % 2 == 1);
                return;
            case 4:
                story.sent += what / 8 + 10 == 23 ? bytes : "";
                story.wire += forge.record(static_cast<ContentType>(what / 8 + 10), bytes, padding);
                return;
            case 5:
                story.wire += forge.handshake(ticket(size + padding));
                return;
            case 6:
                forge.update();  // for a KeyUpdate that the bytes of a handshake record have made
                return;
            default:
                story.wire += bytes;
        }
    }

    const std::uint8_t* at_;
    std::size_t left_;
};

struct Verdict {
    Heard heard;
    bool requested = false;
    std::uint64_t sequence = 0;
};

Verdict judge(TlsSuite suite, TlsRole peer, const std::string& wire, std::size_t step,
              std::size_t room) {
    auto reader = RecordReader::make(crypto, suite, some_secret(suite), 0, peer);
    Verdict verdict;
    verdict.heard = hear(crypto, *reader, wire, step, room);
    verdict.requested = reader->key_update_requested();
    verdict.sequence = reader->sequence();
    return verdict;
}

void require(bool holds, const char* what) {
    if (!holds) {
        std::fprintf(stderr, "%s\n", what);
        std::abort();
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2) {
        return 0;
    }
    const TlsSuite suite = kSuites[data[0] % 3];
    const TlsRole peer = data[0] & 0x80 ? TlsRole::client : TlsRole::server;
    const std::size_t step = data[1] == 0 ? 1 : data[1] * 7;
    const Story story = Orders(data + 2, size - 2).carry_out(suite);

    const Verdict whole = judge(suite, peer, story.wire, SIZE_MAX, 0);
    const Verdict cut = judge(suite, peer, story.wire, step, kMaxRecordBody);
    require(whole.heard.plain == cut.heard.plain, "cuts change the data");
    require(whole.heard.stop == cut.heard.stop, "cuts change the end");
    require(whole.heard.alert == cut.heard.alert, "cuts change the alert");
    require(whole.heard.peer_alert == cut.heard.peer_alert, "cuts change the peer's alert");
    require(whole.requested == cut.requested && whole.sequence == cut.sequence,
            "cuts change the state");
    require(whole.heard.plain == story.sent.substr(0, whole.heard.plain.size()),
            "data that was not sealed");
    require(
        (whole.heard.stop == RecordReader::Stop::failed) ==
            (whole.heard.alert != Alert::none || (whole.heard.peer_alert != Alert::none &&
                                                  whole.heard.peer_alert != Alert::close_notify)),
        "an end without a reason");
    return 0;
}
