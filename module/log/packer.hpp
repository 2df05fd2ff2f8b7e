// Serializes texts, tables of texts and numbers into one block of memory, and reads them back. One thread at a time;
// never blocks.
#pragma once

#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>

#include "httpd/httpd.hpp"

namespace wsp {

class Packer {
  public:
    // A byte says whether there is a text, so that null stays null.
    void text(const char* value) {
        block_.push_back(value == nullptr ? '\0' : '\1');
        if (value != nullptr) {
            block_.append(value, std::strlen(value) + 1);
        }
    }
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
};

// Must read in the order in which the Packer wrote. The texts stay in the block. It never reads beyond the block: what
// is missing is null, empty or zero.
class Unpacker {
  public:
    explicit Unpacker(std::string_view block) : left_(block) {}
    const char* text() {
        if (left_.empty() || take(1)[0] == '\0') {
            return nullptr;
        }
        const std::size_t size = left_.find('\0');
        if (size == std::string_view::npos) {
            left_ = {};
            return nullptr;
        }
        return take(size + 1);
    }
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
};

}  // namespace wsp
