// Headers of a request or response for tests, looked up as httpd would.
#pragma once

#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "protocol/handshake.hpp"
#include "protocol/header_tokens.hpp"

namespace wsp::test {

class HeaderList : public HeaderSource {
  public:
    using Fields = std::vector<std::pair<std::string, std::string>>;

    HeaderList() = default;
    explicit HeaderList(Fields fields) : fields_(std::move(fields)) {}

    // Replaces all fields of this name by one.
    HeaderList with(const std::string& name, const std::string& value) const {
        return without(name).and_also(name, value);
    }

    // Adds a field, also when there is one of this name.
    HeaderList and_also(const std::string& name, const std::string& value) const {
        Fields fields = fields_;
        fields.emplace_back(name, value);
        return HeaderList(std::move(fields));
    }

    HeaderList without(const std::string& name) const {
        Fields kept;
        for (const auto& field : fields_) {
            if (!iequals(field.first, name))
                kept.push_back(field);
        }
        return HeaderList(std::move(kept));
    }

    std::string_view get(std::string_view name) const noexcept override {
        std::string joined;
        bool found = false;
        for (const auto& field : fields_) {
            if (!iequals(field.first, name))
                continue;
            joined += (found ? ", " : "") + field.second;
            found = true;
        }
        return found ? std::string_view(answers_.emplace_back(std::move(joined)))
                     : std::string_view();
    }

  private:
    Fields fields_;
    mutable std::deque<std::string> answers_;  // keeps what get() has returned
};

}  // namespace wsp::test
