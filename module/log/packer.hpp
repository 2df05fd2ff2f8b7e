// Serializes texts, tables of texts and numbers into one block of memory, and reads them back. One thread at a time;
// never blocks.
#pragma once

#include <array>
#include <cstddef>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>

#include "httpd/httpd.hpp"

namespace wsp {

// Texts that a block has once. Packer and Unpacker number them alike.
class KnownTexts {
  public:
    static constexpr std::size_t kFirst = 2;  // the byte that means [0]

    void add(const char* text) {
        if (size_ < texts_.size()) {
            texts_[size_++] = text;
        }
    }
    std::size_t size() const { return size_; }
    const char* operator[](std::size_t place) const {
        return place < size_ ? texts_[place] : nullptr;
    }

  private:
    std::array<const char*, 4> texts_{};
    std::size_t size_ = 0;
};

class Packer {
  public:
    // A byte says whether there is a text, so that null stays null, or which of the known texts it is.
    void text(const char* value) {
        if (value == nullptr) {
            block_.push_back('\0');
            return;
        }
        for (std::size_t i = 0; i < known_.size(); ++i) {
            if (std::strcmp(known_[i], value) == 0) {
                block_.push_back(static_cast<char>(KnownTexts::kFirst + i));
                return;
            }
        }
        block_.push_back('\1');
        block_.append(value, std::strlen(value) + 1);
    }
    // From here on this text, which has been packed, takes one byte. It must outlive the packer.
    void know(const char* value) { known_.add(value); }
    // The rows for which wants(key) is true. A null table has none.
    template <class Wants>
    void table(const apr_table_t* table, Wants wants) {
        if (table != nullptr) {
            const apr_array_header_t* const rows = apr_table_elts(table);
            for (int i = 0; i < rows->nelts; ++i) {
                const auto& row = APR_ARRAY_IDX(rows, i, apr_table_entry_t);
                if (row.key != nullptr && wants(row.key)) {
                    text(row.key);
                    text(row.val);
                }
            }
        }
        text(nullptr);
    }
    template <class Numbers>
    void numbers(const Numbers& numbers) {
        static_assert(std::is_trivially_copyable_v<Numbers>, "goes as it is");
        block_.append(reinterpret_cast<const char*>(&numbers), sizeof numbers);
    }
    std::size_t size() const { return block_.size(); }
    std::unique_ptr<char[]> take() const {
        std::unique_ptr<char[]> exact(new char[block_.size()]);
        std::memcpy(exact.get(), block_.data(), block_.size());
        return exact;
    }

  private:
    std::string block_;
    KnownTexts known_;
};

// Must read in the order in which the Packer wrote. The texts stay in the block. It never reads beyond the block: what
// is missing is null, empty or zero.
class Unpacker {
  public:
    explicit Unpacker(std::string_view block) : left_(block) {}
    const char* text() {
        const std::size_t kind = left_.empty() ? 0 : static_cast<unsigned char>(take(1)[0]);
        if (kind != 1) {
            return kind == 0 ? nullptr : known_[kind - KnownTexts::kFirst];
        }
        const std::size_t size = left_.find('\0');
        if (size == std::string_view::npos) {
            left_ = {};
            return nullptr;
        }
        return take(size + 1);
    }
    // Where the Packer did. The text may be null.
    void know(const char* value) { known_.add(value); }
    apr_table_t* table(apr_pool_t* pool) {
        apr_table_t* const table = apr_table_make(pool, 8);
        while (const char* key = text()) {
            const char* const value = text();
            apr_table_addn(table, key, value != nullptr ? value : "");
        }
        return table;
    }
    template <class Numbers>
    Numbers numbers() {
        Numbers numbers{};
        if (left_.size() < sizeof numbers) {
            left_ = {};
        } else {
            std::memcpy(&numbers, take(sizeof numbers), sizeof numbers);
        }
        return numbers;
    }

  private:
    const char* take(std::size_t size) {
        const char* const taken = left_.data();
        left_.remove_prefix(size);
        return taken;
    }

    std::string_view left_;
    KnownTexts known_;
};

}  // namespace wsp
