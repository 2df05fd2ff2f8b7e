// How rows lie in the page: in chunks, each of which has one writer. So a process that is killed while it writes leaves
// the rows of all others as they are.
#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <string>

#include "survey/survey_page.hpp"

namespace wsp {

struct SurveyPage::Chunk {
    std::atomic<Number> number;       // of the question
    std::atomic<std::uint32_t> used;  // bytes of whole rows; stored when they are complete
    static constexpr std::size_t kRoom = kChunkSize - 2 * sizeof(std::uint32_t);
    unsigned char bytes[kRoom];
};

namespace {

// A row: this, and then the texts.
struct Head {
    SurveyNumbers numbers;
    std::uint16_t sizes[6];
};

// The longest texts of a row. One that is longer is cut; a chunk has room for all of them.
constexpr std::size_t kMostSizes[6] = {64, 64, 256, 1024, 512, 256};

using Texts = std::array<std::string_view, 6>;

Texts texts_of(const TunnelDescription& from) {
    return {from.id, from.client, from.vhost, from.path, from.backend, from.tag};
}

// Reads one row. Returns its size; 0: it is odd.
std::size_t read_row(const unsigned char* at, std::size_t left, TunnelRow& to) {
    Head head;
    if (left < sizeof head) {
        return 0;
    }
    std::memcpy(&head, at, sizeof head);
    std::size_t size = sizeof head;
    std::string* const texts[] = {&to.id, &to.client, &to.vhost, &to.path, &to.backend, &to.tag};
    for (std::size_t i = 0; i < 6; ++i) {
        if (head.sizes[i] > left - size) {
            return 0;
        }
        texts[i]->assign(reinterpret_cast<const char*>(at) + size, head.sizes[i]);
        size += head.sizes[i];
    }
    const SurveyNumbers& n = head.numbers;
    to.age = n.age;
    to.idle = n.idle;
    to.rtt = n.rtt;
    to.messages_in = n.messages_in;
    to.messages_out = n.messages_out;
    to.bytes_in = n.bytes_in;
    to.bytes_out = n.bytes_out;
    to.held = n.held;
    to.child = n.child;
    to.state = n.is_closing != 0 ? TunnelRow::State::closing : TunnelRow::State::open;
    to.mode = n.is_blocking != 0 ? TunnelRow::Mode::blocking : TunnelRow::Mode::pumped;
    to.tls = n.tls != 0;
    return size;
}

}  // namespace

SurveyPage::Chunk* SurveyPage::chunk(std::size_t index) const noexcept {
    static_assert(sizeof(Chunk) == kChunkSize, "they lie one behind the other");
    const unsigned char* const at = area_ + index % kChunks * kChunkSize;
    return reinterpret_cast<Chunk*>(const_cast<unsigned char*>(at));
}

SurveyPage::Chunk* SurveyPage::take_chunk(Number number) noexcept {
    const std::uint32_t first = first_chunk_.load();
    const std::int64_t taken = add_to(chunks_, number, 1);
    if (taken < 0 || taken >= static_cast<std::int64_t>(kChunks)) {
        return nullptr;
    }
    Chunk* const mine = chunk(first + static_cast<std::size_t>(taken));
    mine->used.store(0);
    mine->number.store(number);
    return mine;
}

void SurveyPage::RowWriter::begin(SurveyPage& page, Number number) noexcept {
    page_ = &page;
    number_ = number;
    chunk_ = nullptr;
}

bool SurveyPage::RowWriter::put(const SurveyNumbers& numbers,
                                const TunnelDescription& description) noexcept {
    Head head{};
    head.numbers = numbers;
    const Texts texts = texts_of(description);
    std::size_t size = sizeof head;
    for (std::size_t i = 0; i < texts.size(); ++i) {
        head.sizes[i] = static_cast<std::uint16_t>(std::min(texts[i].size(), kMostSizes[i]));
        size += head.sizes[i];
    }
    if (chunk_ == nullptr || used_ + size > Chunk::kRoom) {
        chunk_ = page_->take_chunk(number_);
        used_ = 0;
    }
    if (chunk_ == nullptr) {
        return false;
    }
    unsigned char* to = chunk_->bytes + used_;
    std::memcpy(to, &head, sizeof head);
    to += sizeof head;
    for (std::size_t i = 0; i < texts.size(); ++i) {
        to = std::copy_n(texts[i].data(), head.sizes[i], to);  // of an empty text it may be null
    }
    used_ += size;
    chunk_->used.store(static_cast<std::uint32_t>(used_), std::memory_order_release);
    return true;
}

void SurveyPage::read_rows(Number number, std::vector<TunnelRow>& to) const {
    const std::uint32_t first = first_chunk_.load();
    const std::size_t taken = std::min(count_of(chunks_, number), kChunks);
    for (std::size_t i = 0; i < taken; ++i) {
        const Chunk& from = *chunk(first + i);
        const std::size_t used =
            std::min<std::size_t>(from.used.load(std::memory_order_acquire), Chunk::kRoom);
        // A process that was killed may have taken it and not begun.
        for (std::size_t at = 0; from.number.load() == number && at < used;) {
            TunnelRow row;
            const std::size_t size = read_row(from.bytes + at, used - at, row);
            if (size == 0) {
                break;
            }
            to.push_back(std::move(row));
            at += size;
        }
    }
}

// The next question uses the memory behind this one's, so what a late process still writes harms nobody.
void SurveyPage::free_rows(Number number) noexcept {
    const std::size_t first = first_chunk_.load() % kChunks;
    const std::size_t taken = std::min(count_of(chunks_, number), kChunks);
    const std::size_t before_end = std::min(taken, kChunks - first);
#ifdef MADV_REMOVE
    if (before_end > 0) {
        ::madvise(chunk(first), before_end * kChunkSize, MADV_REMOVE);
    }
    if (taken > before_end) {
        ::madvise(chunk(0), (taken - before_end) * kChunkSize, MADV_REMOVE);
    }
#endif
}

}  // namespace wsp
