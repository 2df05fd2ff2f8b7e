// The memory through which the processes of a server ask each other about tunnels (survey.hpp): one question at a time,
// the last orders to close tunnels, which processes have loops and what they have answered, and room for the rows that
// they answer with. The parent process makes it, and it is kept across restarts.
//
// Nothing in it is an address. A process that is killed leaves its row, and perhaps the turn, behind; forget() removes
// them. The parent may be root, and a child may have been taken over by an attacker: so the parent takes nothing in it
// for granted. Any process, any thread; everything is atomic, or belongs to one writer until it is published. Nothing
// blocks or allocates, but read_rows().
#pragma once

#include <sys/types.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "metrics/tunnel_row.hpp"
#include "protocol/close_reason.hpp"
#include "survey/survey.hpp"

namespace wsp {

// A question as loops read it. Values.
struct SurveyQuestion {
    // Counts the questions of the server; 32 bits may wrap. 0: nothing was ever asked.
    using Number = std::uint32_t;
    static bool is_newer(Number a, Number b) noexcept {
        return static_cast<std::int32_t>(a - b) > 0;
    }
    enum class Kind : std::uint8_t { flush, rows, close };

    Number number = 0;
    Kind kind = Kind::flush;
    // Of an order to close.
    Match::Field field = Match::Field::all;
    std::uint16_t code = 0;
    std::uint16_t text_size = 0;
    MonotonicUs first = 0;  // the span of time in which the tunnels end
    MonotonicUs last = 0;
    CloseReason reason;
    std::array<char, Match::kMostText> text{};

    std::string_view match_text() const noexcept { return {text.data(), text_size}; }
};

// The numbers of a row, as they are in the shared memory.
struct SurveyNumbers {
    DurationUs age = 0;
    DurationUs idle = 0;
    DurationUs rtt = 0;
    std::uint64_t messages_in = 0;
    std::uint64_t messages_out = 0;
    std::uint64_t bytes_in = 0;
    std::uint64_t bytes_out = 0;
    std::uint64_t held = 0;
    std::int64_t child = 0;
    // Numbers, because whoever reads them believes nothing.
    std::uint8_t is_closing = 0;
    std::uint8_t is_blocking = 0;
    std::uint8_t tls = 0;
};

class SurveyPage {
    struct Chunk;

  public:
    using Number = SurveyQuestion::Number;
    // A module that makes a page of another layout must not find this one.
    static constexpr unsigned kLayout = 1;

    // In memory of at least sizeof(SurveyPage) bytes that the processes share and that begins at a page of the system.
    // It is zeroed, or there is such a page in it already, which goes on as it is.
    static SurveyPage& in(void* memory) noexcept;

    // The descriptor with which all loops are woken, which all processes have inherited from the one that made it. -1:
    // none.
    void set_wake_fd(int fd) noexcept { wake_fd_.store(fd + 1); }
    int wake_fd() const noexcept { return wake_fd_.load() - 1; }

    // --- whoever asks -------------------------------------------------------------------------

    // The turn to ask. Who holds it longer than until `lease` may lose it. 0: somebody else has it.
    using Turn = std::uint64_t;
    Turn take_turn(pid_t asker, MonotonicUs now, MonotonicUs lease) noexcept;
    void end_turn(Turn turn) noexcept;
    // Asks. The question gets its number, which is returned. Only with the turn.
    Number post(SurveyQuestion question) noexcept;
    // Nobody needs to answer any more.
    void close(Number number) noexcept;
    // How many processes with loops have not answered.
    std::size_t silent(Number number) const noexcept;
    // Whether a tunnel that began to open between the question before and this one has no loop yet. Older ones were
    // waited for by whoever asked before.
    bool is_any_opening_before(Number number) const noexcept;
    // How many loops may just be taking in a tunnel of another process.
    std::uint64_t receiving() const noexcept;
    // Tunnels that were received from other processes, ever.
    std::uint64_t received() const noexcept { return received_.load(); }
    // Removes the rows of processes that do not exist any more.
    void forget_dead() noexcept;
    std::size_t matched(Number number) const noexcept { return count_of(matched_, number); }
    std::size_t left_out(Number number) const noexcept { return count_of(left_out_, number); }
    // The rows that were answered. May throw bad_alloc.
    void read_rows(Number number, std::vector<TunnelRow>& to) const;
    // Gives the memory of the rows back to the system. Only with the turn.
    void free_rows(Number number) noexcept;

    // --- the parent process -------------------------------------------------------------------

    void forget(pid_t process) noexcept;

    // --- whoever answers ----------------------------------------------------------------------

    // A process has loops from now on. Returns its row; -1: there is none left, and it will not be waited for.
    int join(pid_t process) noexcept;
    void mark_answered(int row, Number number) noexcept;
    // Before its 101 is sent. Returns the last question until now, for end_opening().
    Number begin_opening(int row) noexcept;
    // When a loop has the tunnel, or it has ended without.
    void end_opening(int row, Number number) noexcept;
    void begin_receiving(int row) noexcept { row_of(row).receiving.fetch_add(1); }
    void end_receiving(int row) noexcept { row_of(row).receiving.fetch_sub(1); }
    void note_received() noexcept { received_.fetch_add(1); }

    // Of the last question.
    Number number() const noexcept { return number_of(asked_.load(std::memory_order_acquire)); }
    bool is_open(Number number) const noexcept;
    // The last question. Returns false when it changes just now; ask again.
    bool read(SurveyQuestion& to) const noexcept;
    // The newest order to close that is older than `before` and newer than `after`. Returns false when there is none
    // that is still known.
    bool read_order(Number before, Number after, SurveyQuestion& to) const noexcept;
    void add_matched(Number number, std::uint32_t count) noexcept {
        add_to(matched_, number, count);
    }
    void add_left_out(Number number) noexcept { add_to(left_out_, number, 1); }

    // Where one loop writes its rows. One thread.
    class RowWriter {
      public:
        // Whatever was begun is over.
        void begin(SurveyPage& page, Number number) noexcept;
        // Returns false when there is no room, or nobody needs the row any more.
        bool put(const SurveyNumbers& numbers, const TunnelDescription& texts) noexcept;

      private:
        SurveyPage* page_ = nullptr;
        Number number_ = 0;
        Chunk* chunk_ = nullptr;
        // Not taken from the chunk: that may be freed meanwhile, and what was read of it must not be written again.
        std::size_t used_ = 0;
    };

  private:
    static constexpr std::size_t kProcesses = 4096;
    static constexpr std::size_t kOrders = 256;
    static constexpr std::size_t kChunkSize = 4096;
    static constexpr std::size_t kChunks =
        16384;  // 64 MiB, which are touched only as far as rows need it
    static constexpr std::size_t kQuestionWords = (sizeof(SurveyQuestion) + 7) / 8;

    struct Row {
        std::atomic<std::uint32_t> process;  // 0: free
        std::atomic<Number> answered;
        std::atomic<std::int32_t> receiving;  // loops of it
        // Tunnels on their way to its loops, by whether the last question before was odd. So whoever asks need not wait
        // for those that begin later.
        std::atomic<std::uint16_t> opening[2];
    };
    // Written by whoever has the turn, read at any time. `version` is odd while it is written.
    struct Slot {
        std::atomic<std::uint32_t> version;
        std::atomic<Number> number;  // also among the words
        std::atomic<std::uint64_t> words[kQuestionWords];
    };
    static_assert(std::atomic<std::uint64_t>::is_always_lock_free, "other processes see it");
    static_assert(std::atomic<std::uint32_t>::is_always_lock_free, "other processes see it");
    static_assert(std::atomic<std::uint16_t>::is_always_lock_free, "other processes see it");

    // The last question, as one word that is changed at once: its number, how many orders to close there were, its
    // kind, and whether it is open.
    static std::uint64_t word_of(Number number, std::uint32_t orders, SurveyQuestion::Kind kind,
                                 bool open) noexcept;
    static Number number_of(std::uint64_t word) noexcept { return static_cast<Number>(word >> 32); }
    static std::uint32_t orders_of(std::uint64_t word) noexcept {
        return static_cast<std::uint32_t>(word) >> 4;
    }
    static SurveyQuestion::Kind kind_of(std::uint64_t word) noexcept {
        return static_cast<SurveyQuestion::Kind>(word >> 1 & 7);
    }
    static bool is_open_word(std::uint64_t word) noexcept { return (word & 1) != 0; }

    // A count for one question: its number and 32 bits. Nobody who is late adds to another question's.
    using Count = std::atomic<std::uint64_t>;
    static void begin_count(Count& count, Number number) noexcept;
    static std::size_t count_of(const Count& count, Number number) noexcept;
    // Returns the count before; -1: it is another question's.
    static std::int64_t add_to(Count& count, Number number, std::uint32_t more) noexcept;

    std::uint32_t rows_in_use() const noexcept {
        return std::min<std::uint32_t>(rows_.load(), kProcesses);
    }
    Row& row_of(int row) noexcept { return processes_[static_cast<std::size_t>(row)]; }
    static void write(Slot& slot, const SurveyQuestion& question) noexcept;
    static bool read_slot(const Slot& slot, SurveyQuestion& to) noexcept;
    Chunk* chunk(std::size_t index) const noexcept;
    Chunk* take_chunk(Number number) noexcept;

    std::atomic<int> wake_fd_;  // and 1
    std::atomic<Turn> turn_;
    std::atomic<std::uint64_t> asked_;
    Count matched_;
    Count left_out_;
    Count chunks_;  // that are taken
    // Of the last question. The next one goes on behind it.
    std::atomic<std::uint32_t> first_chunk_;
    std::atomic<std::uint64_t> received_;
    std::atomic<std::uint32_t> rows_;  // of processes_ that have ever been used
    Row processes_[kProcesses];
    Slot orders_[kOrders];
    alignas(kChunkSize) unsigned char area_[kChunks * kChunkSize];
};

}  // namespace wsp
