// What a test needs to ask tunnels: a page, loops that answer as those of a process do, tunnels that tell who they are, and
// processes with all of that.
#pragma once

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "net/descriptor_channel.hpp"
#include "support/move_rig.hpp"
#include "support/socket_tunnel.hpp"
#include "survey/survey.hpp"
#include "survey/survey_page.hpp"
#include "tunnel/loop_list.hpp"
#include "tunnel/pump.hpp"
#include "tunnel/survey_respondent.hpp"

namespace wsp::test {

// Shared with processes that are forked later.
class SharedPage {
  public:
    SharedPage()
        : memory_(::mmap(nullptr, sizeof(SurveyPage), PROT_READ | PROT_WRITE,
                         MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)),
          wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
        if (memory_ == MAP_FAILED || !wake_.valid())
            throw std::runtime_error("no page");
        page = &SurveyPage::in(memory_);
        page->set_wake_fd(wake_.get());
    }
    ~SharedPage() { ::munmap(memory_, sizeof(SurveyPage)); }
    SharedPage(const SharedPage&) = delete;
    SharedPage& operator=(const SharedPage&) = delete;

    SurveyPage* page;

  private:
    void* memory_;
    UniqueFd wake_;
};

// Says who its tunnel is, also where it moves to.
class NamedObserver final : public TunnelObserver {
  public:
    struct Seen {
        std::atomic<int> surveys{0};
        std::atomic<std::uint64_t> held{0};
        std::atomic<int> ended{0};
        std::atomic<EndReason> reason{EndReason::none};
    };
    NamedObserver(std::string id, Seen& seen)
        : id_(std::move(id)), tag_("tag of " + id_), seen_(seen) {}
    void on_survey(std::uint64_t held) noexcept override {
        ++seen_.surveys;
        seen_.held = held;
    }
    void describe(TunnelDescription& to) const noexcept override {
        to = {id_, "192.0.2.7", "www.example.com:443", "/chat", "ws://127.0.0.1:8000", tag_, true};
    }
    void on_end(const TunnelReport& report) noexcept override {
        seen_.reason = report.reason;
        ++seen_.ended;
    }
    bool write_image(ImageWriter& image) const noexcept override {
        image.put_bytes(id_);
        return true;
    }

  private:
    const std::string id_;
    const std::string tag_;
    Seen& seen_;
};

inline SocketTunnel make_named_tunnel(const std::string& id, NamedObserver::Seen& seen,
                                      SurveyPage::Number surveyed) {
    SocketPair client = make_pair(false), backend = make_pair(false);
    TunnelParts parts;
    parts.client = std::make_unique<SocketStream>(std::move(client.ours));
    parts.backend = std::make_unique<SocketStream>(std::move(backend.ours));
    parts.terms.policy = std::make_shared<const Policy>();
    parts.terms.surveyed = surveyed;
    parts.observer = std::make_unique<NamedObserver>(id, seen);
    return {std::make_unique<Tunnel>(std::move(parts)),
            {std::move(client.theirs), std::move(backend.theirs)}};
}

class NamedRestorer final : public TunnelRestorer {
  public:
    explicit NamedRestorer(NamedObserver::Seen& seen) : seen_(seen) {}
    bool restore(ImageReader& observer, const Policy& policy, TunnelOwners& to) noexcept override {
        to.observer = std::make_unique<NamedObserver>(std::string(observer.take_bytes()), seen_);
        to.policy = std::make_shared<const Policy>(policy);
        return observer.at_end();
    }

  private:
    NamedObserver::Seen& seen_;
};

// The way between pumps, which says what is on it.
class SurveyedWay final : public TunnelsUnderWay {
  public:
    explicit SurveyedWay(NamedObserver::Seen& seen) : restorer_(seen) {
        if (!channel_.open())
            throw std::runtime_error("no channel");
    }
    bool are_any() const noexcept override {
        pollfd asked{channel_.read_fd(), POLLIN, 0};
        return under_way_ > 0 && ::poll(&asked, 1, 0) > 0;
    }
    std::uint64_t most() const noexcept override {
        return static_cast<std::uint64_t>(std::max(0, under_way_.load()));
    }

    class Mover final : public TunnelMover {
      public:
        explicit Mover(SurveyedWay& way) : way_(way), channel_(way.channel_) {}
        int fd() const noexcept override { return channel_.fd(); }
        SendOutcome send(const ImageWriter& image, int client, int backend) noexcept override {
            ++way_.under_way_;
            const SendOutcome outcome = channel_.send(image, client, backend);
            way_.under_way_ -= outcome != SendOutcome::sent;
            return outcome;
        }

      private:
        SurveyedWay& way_;
        TestMover channel_;
    };
    class Source final : public TunnelSource {
      public:
        explicit Source(SurveyedWay& way) : way_(way), channel_(way.channel_, way.restorer_) {}
        int fd() const noexcept override { return channel_.fd(); }
        Got receive(std::unique_ptr<Tunnel>& to, RecordWorkspace* workspace,
                    MonotonicUs now) noexcept override {
            const Got got = channel_.receive(to, workspace, now);
            way_.under_way_ -= got == Got::tunnel;
            return got;
        }
        bool wake_another() noexcept override { return channel_.wake_another(); }

      private:
        SurveyedWay& way_;
        TestSource channel_;
    };
    Mover mover{*this};
    Source source{*this};

  private:
    DescriptorChannel channel_;
    NamedRestorer restorer_;
    std::atomic<int> under_way_{0};
};

// The loops of a process: one pump, which answers.
class AnsweringPump {
  public:
    // `way`: takes in what comes on it; null: nothing.
    explicit AnsweringPump(SurveyPage& page, SurveyedWay* way = nullptr)
        : respondent_(page, list), page_(page) {
        respondent_.join(::getpid());
        pump.answer(respondent_);
        entry_.emplace(list, pump);
        if ((way != nullptr && !pump.receive_from(way->source)) || !pump.start())
            throw std::runtime_error("the pump does not start");
    }
    ~AnsweringPump() {
        pump.close_all(ClosePlan::at_once(EndReason::shutdown, monotonic_now(), 0));
        static_cast<void>(pump.join(kPatienceMs * kMillisecond));
    }

    Ends open(const std::string& id) { return adopt(make_named_tunnel(id, seen, page_.number())); }
    Ends adopt(SocketTunnel made) {
        if (!pump.adopt(made.tunnel))
            throw std::runtime_error("the pump does not adopt");
        return std::move(made.ends);
    }
    void move_all(SurveyedWay& way) {
        const MonotonicUs now = monotonic_now();
        pump.move_all({&way.mover, now + 60 * kSecond,
                       ClosePlan::at_once(EndReason::drain, now, 60 * kSecond)});
    }

    NamedObserver::Seen seen;
    LoopList list;

  private:
    SurveyRespondent respondent_;
    SurveyPage& page_;

  public:
    Pump pump;
    SurveyRespondent& respondent() { return respondent_; }

  private:
    std::optional<LoopList::Entry> entry_;
};

// A process of its own with a pump and `tunnels` tunnels, whose ids are "<name>-0" and so on.
class AnsweringProcess {
  public:
    AnsweringProcess(SurveyPage& page, const std::string& name, int tunnels) {
        int told[2];
        int tells[2];
        if (::pipe(told) != 0 || ::pipe(tells) != 0 || (pid = ::fork()) < 0)
            throw std::runtime_error("no process");
        if (pid == 0) {
            ::close(told[1]);
            ::_exit(run(page, name, tunnels, told[0], tells[1]));
        }
        ::close(told[0]);
        ::close(tells[1]);
        end_.reset(told[1]);
        UniqueFd ready(tells[0]);
        char byte = 0;
        if (::read(ready.get(), &byte, 1) != 1)
            throw std::runtime_error("the process does not begin");
    }
    ~AnsweringProcess() {
        end_.reset();
        if (pid > 0)
            kill_and_wait(SIGCONT);
    }
    AnsweringProcess(const AnsweringProcess&) = delete;
    AnsweringProcess& operator=(const AnsweringProcess&) = delete;

    void kill_and_wait(int signal) {
        ::kill(pid, signal);
        ::waitpid(std::exchange(pid, -1), nullptr, 0);
    }
    pid_t pid = -1;

  private:
    // Ends when the other end of `until` is gone.
    static int run(SurveyPage& page, const std::string& name, int tunnels, int until, int ready) {
        AnsweringPump loops(page);
        std::vector<Ends> ends;
        for (int i = 0; i < tunnels; ++i)
            ends.push_back(loops.open(name + "-" + std::to_string(i)));
        const bool all = std::all_of(ends.begin(), ends.end(),
                                     [](const Ends& each) { return each.echoes("hello"); });
        char byte = 0;
        if (!all || ::write(ready, "x", 1) != 1 || ::read(until, &byte, 1) != 0)
            return 1;
        loops.respondent().leave(::getpid());
        return 0;
    }
    UniqueFd end_;
};

inline std::multiset<std::string> ids_of(const RowsAnswer& answer) {
    std::multiset<std::string> ids;
    for (const TunnelRow& row : answer.rows)
        ids.insert(row.id);
    return ids;
}

}  // namespace wsp::test
