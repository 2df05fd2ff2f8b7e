// The turn, the question and the orders, and who has answered.
#include "survey/survey_page.hpp"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <new>
#include <type_traits>

namespace wsp {
namespace {

// Leases are compared in units that fit into half a word.
constexpr DurationUs kLeaseUnit = 1024;

std::uint32_t in_lease_units(MonotonicUs time) {
    return static_cast<std::uint32_t>(time / kLeaseUnit);
}

bool exists(pid_t process) {
    return ::kill(process, 0) == 0 || errno != ESRCH;
}

}  // namespace

SurveyPage& SurveyPage::in(void* memory) noexcept {
    // Its members are left as they are: zero and not touched yet, or in use.
    return *new (memory) SurveyPage;
}

// --- the turn ---------------------------------------------------------------------------------

SurveyPage::Turn SurveyPage::take_turn(pid_t asker, MonotonicUs now, MonotonicUs lease) noexcept {
    Turn there = turn_.load();
    const auto over =
        static_cast<std::int32_t>(in_lease_units(now) - static_cast<std::uint32_t>(there));
    if (there != 0 && over <= 0 && exists(static_cast<pid_t>(there >> 32))) {
        return 0;
    }
    const Turn mine =
        std::uint64_t{static_cast<std::uint32_t>(asker)} << 32 | in_lease_units(lease);
    return turn_.compare_exchange_strong(there, mine) ? mine : 0;
}

void SurveyPage::end_turn(Turn turn) noexcept {
    turn_.compare_exchange_strong(turn, 0);
}

// --- the question -----------------------------------------------------------------------------

std::uint64_t SurveyPage::word_of(Number number, std::uint32_t orders, SurveyQuestion::Kind kind,
                                  bool open) noexcept {
    return std::uint64_t{number} << 32 | std::uint64_t{orders & 0x0FFF'FFFF} << 4 |
           std::uint64_t{static_cast<std::uint8_t>(kind)} << 1 | (open ? 1 : 0);
}

SurveyPage::Number SurveyPage::post(SurveyQuestion question) noexcept {
    const std::uint64_t before = asked_.load();
    std::uint32_t orders = orders_of(before);
    question.number = number_of(before) + 1;
    if (question.number == 0) {
        question.number = 1;
    }
    // Before the question: whoever has read it finds them.
    begin_count(matched_, question.number);
    begin_count(left_out_, question.number);
    // At once: whoever is late takes no chunk any more that this question begins with.
    const std::uint64_t chunks = chunks_.exchange(std::uint64_t{question.number} << 32);
    const std::size_t used =
        number_of(chunks) == number_of(before) ? static_cast<std::uint32_t>(chunks) : 0;
    first_chunk_.store(static_cast<std::uint32_t>((first_chunk_.load() + used) % kChunks));
    if (question.kind == SurveyQuestion::Kind::close) {
        write(orders_[orders % kOrders], question);
        ++orders;
    }
    asked_.store(word_of(question.number, orders, question.kind, true));
    return question.number;
}

void SurveyPage::close(Number number) noexcept {
    std::uint64_t word = asked_.load();
    if (number_of(word) == number) {
        asked_.compare_exchange_strong(word, word & ~std::uint64_t{1});
    }
}

bool SurveyPage::is_open(Number number) const noexcept {
    const std::uint64_t word = asked_.load(std::memory_order_acquire);
    return number_of(word) == number && is_open_word(word);
}

bool SurveyPage::read(SurveyQuestion& to) const noexcept {
    const std::uint64_t word = asked_.load(std::memory_order_acquire);
    if (kind_of(word) == SurveyQuestion::Kind::close) {
        return read_slot(orders_[(orders_of(word) - 1) % kOrders], to) &&
               to.number == number_of(word);
    }
    to.number = number_of(word);
    to.kind = kind_of(word);
    return true;
}

bool SurveyPage::read_order(Number before, Number after, SurveyQuestion& to) const noexcept {
    const std::uint32_t orders = orders_of(asked_.load(std::memory_order_acquire));
    for (std::uint32_t back = 1; back <= orders && back <= kOrders; ++back) {
        const Slot& slot = orders_[(orders - back) % kOrders];
        const Number number = slot.number.load(std::memory_order_acquire);
        if (!SurveyQuestion::is_newer(number, after)) {
            return false;
        }
        if (SurveyQuestion::is_newer(before, number) && read_slot(slot, to) &&
            to.number == number) {
            return true;
        }
    }
    return false;
}

void SurveyPage::write(Slot& slot, const SurveyQuestion& question) noexcept {
    static_assert(std::is_trivially_copyable_v<SurveyQuestion>, "other processes read it");
    std::uint64_t words[kQuestionWords] = {};
    std::memcpy(words, &question, sizeof question);
    const std::uint32_t version = slot.version.load() | 1;  // a killed writer may have left it odd
    slot.version.store(version);
    slot.number.store(question.number);
    for (std::size_t i = 0; i < kQuestionWords; ++i) {
        slot.words[i].store(words[i]);
    }
    slot.version.store(version + 1);
}

bool SurveyPage::read_slot(const Slot& slot, SurveyQuestion& to) noexcept {
    const std::uint32_t version = slot.version.load();
    std::uint64_t words[kQuestionWords];
    for (std::size_t i = 0; i < kQuestionWords; ++i) {
        words[i] = slot.words[i].load();
    }
    std::memcpy(&to, words, sizeof to);
    return version % 2 == 0 && slot.version.load() == version && to.text_size <= Match::kMostText &&
           to.reason.is_sound();
}

// --- who has answered -------------------------------------------------------------------------

int SurveyPage::join(pid_t process) noexcept {
    for (std::uint32_t i = 0; i < kProcesses; ++i) {
        std::uint32_t free = 0;
        Row& row = processes_[i];
        if (row.process.load() != 0 ||
            !row.process.compare_exchange_strong(free, static_cast<std::uint32_t>(process))) {
            continue;
        }
        row.receiving.store(0);
        row.opening[0].store(0);
        row.opening[1].store(0);
        row.answered.store(0);
        std::uint32_t rows = rows_.load();
        while (rows < i + 1 && !rows_.compare_exchange_weak(rows, i + 1)) {
        }
        return static_cast<int>(i);
    }
    return -1;
}

void SurveyPage::forget(pid_t process) noexcept {
    const std::uint32_t rows = rows_in_use();
    for (std::uint32_t i = 0; i < rows; ++i) {
        auto there = static_cast<std::uint32_t>(process);
        processes_[i].process.compare_exchange_strong(there, 0);
    }
    Turn turn = turn_.load();
    if (turn >> 32 == static_cast<std::uint32_t>(process)) {
        turn_.compare_exchange_strong(turn, 0);
    }
}

void SurveyPage::forget_dead() noexcept {
    const std::uint32_t rows = rows_in_use();
    for (std::uint32_t i = 0; i < rows; ++i) {
        const auto process = static_cast<pid_t>(processes_[i].process.load());
        if (process != 0 && !exists(process)) {
            forget(process);
        }
    }
}

void SurveyPage::mark_answered(int row, Number number) noexcept {
    row_of(row).answered.store(number);
}

std::size_t SurveyPage::silent(Number number) const noexcept {
    const std::uint32_t rows = rows_in_use();
    std::size_t silent = 0;
    for (std::uint32_t i = 0; i < rows; ++i) {
        silent += processes_[i].process.load() != 0 && processes_[i].answered.load() != number;
    }
    return silent;
}

// Whoever asks changes the number and then looks at the counts; whoever opens counts and then looks at the number. So
// one of them sees the other.
SurveyPage::Number SurveyPage::begin_opening(int row) noexcept {
    for (;;) {
        const Number number = number_of(asked_.load());
        row_of(row).opening[number % 2].fetch_add(1);
        if (number_of(asked_.load()) == number) {
            return number;
        }
        end_opening(row, number);
    }
}

// Not below 0: the process may have left, and another one have its row.
void SurveyPage::end_opening(int row, Number number) noexcept {
    std::atomic<std::uint16_t>& count = row_of(row).opening[number % 2];
    std::uint16_t there = count.load();
    while (there > 0 &&
           !count.compare_exchange_weak(there, static_cast<std::uint16_t>(there - 1))) {
    }
}

bool SurveyPage::is_any_opening_before(Number number) const noexcept {
    const std::uint32_t rows = rows_in_use();
    for (std::uint32_t i = 0; i < rows; ++i) {
        if (processes_[i].process.load() != 0 && processes_[i].opening[1 - number % 2].load() > 0) {
            return true;
        }
    }
    return false;
}

std::uint64_t SurveyPage::receiving() const noexcept {
    const std::uint32_t rows = rows_in_use();
    std::uint64_t receiving = 0;
    for (std::uint32_t i = 0; i < rows; ++i) {
        const std::int32_t loops = processes_[i].receiving.load();
        receiving +=
            processes_[i].process.load() != 0 && loops > 0 ? static_cast<std::uint64_t>(loops) : 0;
    }
    return receiving;
}

void SurveyPage::begin_count(Count& count, Number number) noexcept {
    count.store(std::uint64_t{number} << 32);
}

std::size_t SurveyPage::count_of(const Count& count, Number number) noexcept {
    const std::uint64_t value = count.load();
    return number_of(value) == number ? static_cast<std::uint32_t>(value) : 0;
}

std::int64_t SurveyPage::add_to(Count& count, Number number, std::uint32_t more) noexcept {
    std::uint64_t value = count.load();
    do {
        if (number_of(value) != number) {
            return -1;
        }
    } while (!count.compare_exchange_weak(value, value + more));
    return static_cast<std::uint32_t>(value);
}

}  // namespace wsp
