// A process's part in answering surveys (survey.hpp): passes each question on to all loops of the process, and says so
// in the page when all of them have answered. Owned by the process; outlives the loops. Any thread; tunnel_loop.hpp
// says what applies to signals. Nothing here blocks or allocates.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>

#include "survey/opening_tunnel.hpp"
#include "survey/survey_page.hpp"

namespace wsp {

class LoopList;

class SurveyRespondent {
  public:
    SurveyRespondent(SurveyPage& page, LoopList& loops) noexcept : page_(page), loops_(loops) {}

    // This process has loops from now on, or will have in a moment: questions wait for its answers. At most once.
    void join(pid_t process) noexcept;
    // It has none any more.
    void leave(pid_t process) noexcept;

    SurveyPage& page() const noexcept { return page_; }
    // Readable, edge by edge, when there is a question. Nobody reads from it. -1: there is none.
    int wake_fd() const noexcept { return page_.wake_fd(); }

    // There may be a new question: passes it on to all loops. A pump's thread.
    void hear() noexcept;

    // A pump hears questions from now on.
    void note_listener() noexcept { has_listener_.store(true); }
    bool has_listener() const noexcept { return has_listener_.load(); }

    // For LoopList, under its lock: whether the question is new. Then each loop that it is passed on to is counted, and
    // finish() is called once more in the end.
    bool begin(SurveyPage::Number number) noexcept;
    void count_loop() noexcept { pending_.fetch_add(1); }
    // A loop has answered this question.
    void finish(SurveyPage::Number number) noexcept;

    // Before a tunnel's 101 is sent.
    OpeningTunnel open_tunnel() noexcept { return {page_, row_.load()}; }

    // As long as it lives, the loop may have a tunnel of another process in hand that is not in its list yet. `survey`
    // may be null.
    class Receiving {
      public:
        explicit Receiving(SurveyRespondent* survey) noexcept;
        ~Receiving();
        Receiving(const Receiving&) = delete;
        Receiving& operator=(const Receiving&) = delete;
        void note_tunnel() const noexcept;

      private:
        SurveyPage* page_ = nullptr;
        int row_ = -1;
    };

  private:
    SurveyPage& page_;
    LoopList& loops_;
    std::atomic<bool> has_listener_{false};
    std::atomic<int> row_{-1};
    std::atomic<SurveyPage::Number> heard_{0};
    // The number of a question, and how many loops have not answered it.
    std::atomic<std::uint64_t> pending_{0};
};

}  // namespace wsp
