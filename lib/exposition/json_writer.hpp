// Writes JSON into a string: commas, quotes and escapes are right by themselves. A value; one thread.
#pragma once

#include <string>
#include <string_view>

#include "exposition/text.hpp"

namespace wsp {

// The caller opens and closes objects and arrays in pairs, and writes a key before each member of an object.
class JsonWriter {
  public:
    explicit JsonWriter(std::string& out) : out_(out) {}

    JsonWriter& open(char bracket) {
        separate();
        out_ += bracket;
        first_ = true;
        return *this;
    }
    JsonWriter& close(char bracket) {
        out_ += bracket;
        first_ = false;
        return *this;
    }
    JsonWriter& key(std::string_view name) {
        separate();
        append_json(out_, name);
        out_ += ':';
        first_ = true;
        return *this;
    }
    JsonWriter& text(std::string_view value) {
        separate();
        append_json(out_, value);
        return *this;
    }
    template <typename Number>
    JsonWriter& number(Number value) {
        separate();
        append_number(out_, value);
        return *this;
    }
    JsonWriter& seconds(DurationUs value) {
        separate();
        append_seconds(out_, value);
        return *this;
    }
    JsonWriter& flag(bool value) {
        separate();
        out_ += value ? "true" : "false";
        return *this;
    }

  private:
    // Between two elements.
    void separate() {
        if (!first_) {
            out_ += ',';
        }
        first_ = false;
    }

    std::string& out_;
    // Nothing stands before the next value in its object or array, or a key does.
    bool first_ = true;
};

}  // namespace wsp
