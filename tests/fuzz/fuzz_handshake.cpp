// Any headers: judging them must end, stay inside them, and keep to what the answers promise.
//
// The input: one byte for the request line, one for the status, then header values, one per line,
// in the order of kNames; an empty line is a header that is absent.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "protocol/accept_key.hpp"
#include "protocol/handshake.hpp"
#include "protocol/header_tokens.hpp"

using namespace wsp;

namespace {

constexpr const char* kNames[] = {"Upgrade",
                                  "Connection",
                                  "Host",
                                  "Sec-WebSocket-Key",
                                  "Sec-WebSocket-Version",
                                  "Sec-WebSocket-Accept",
                                  "Sec-WebSocket-Protocol",
                                  "Sec-WebSocket-Extensions"};
constexpr std::size_t kCount = sizeof kNames / sizeof kNames[0];

void require(bool truth) {
    if (!truth)
        std::abort();
}

// Keeps each value in an allocation of exactly its size.
class Headers : public HeaderSource {
  public:
    // Takes the values off the front of `input`.
    explicit Headers(std::string_view& input) {
        for (auto& value : values_) {
            const std::size_t end = std::min(input.find('\n'), input.size());
            value.assign(input.begin(), input.begin() + static_cast<std::ptrdiff_t>(end));
            input.remove_prefix(std::min(end + 1, input.size()));
        }
    }

    std::string_view get(std::string_view name) const noexcept override {
        for (std::size_t i = 0; i < kCount; ++i) {
            if (iequals(kNames[i], name))
                return {values_[i].data(), values_[i].size()};
        }
        return {};
    }

    void set(std::size_t index, std::string_view value) {
        values_[index].assign(value.begin(), value.end());
    }

  private:
    std::vector<char> values_[kCount];
};

bool lies_in(std::string_view part, std::string_view whole) {
    return part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size();
}

void check_list(std::string_view list) {
    std::string_view rest = list;
    std::string_view element;
    while (next_element(rest, element)) {
        require(!element.empty() && element == trim(element));
        require(lies_in(element, list));
        // An element with nothing but a token in it is found again.
        if (element.find_first_of(",\"\\") == std::string_view::npos)
            require(has_token(list, element));
    }
    require(rest.empty());
}

void check_answers(const RequestLine& line, int status, const Headers& request,
                   const Headers& response) {
    const HandshakeError asked = check_request(line, request);
    require((asked == HandshakeError::not_an_upgrade) == !wants_websocket(request));
    require(asked == HandshakeError::none || row_of(asked).http_status / 100 == 4);
    if (asked == HandshakeError::none)
        require(is_valid_key(trim(request.get("Sec-WebSocket-Key"))));
    const HandshakeError answered = check_response(request, status, response);
    require(answered == HandshakeError::none || row_of(answered).http_status == 502);
    const auto extensions = response.get("Sec-WebSocket-Extensions");
    std::string_view rest = extensions, element;
    require((rsv_bits_of_extensions(extensions) == 0) == !next_element(rest, element));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2)
        return 0;
    const RequestLine line{data[0] & 1 ? "GET" : "POST", data[0] >> 1 & 3, data[0] >> 3 & 3,
                           (data[0] & 32) != 0};
    const int status = data[1] & 1 ? 101 : data[1] * 2;
    std::string_view input(reinterpret_cast<const char*>(data) + 2, size - 2);
    const Headers request(input);
    Headers response(input);
    check_list(request.get("Sec-WebSocket-Protocol"));
    check_list(response.get("Sec-WebSocket-Extensions"));
    check_answers(line, status, request, response);
    // The hash is not to be guessed: without the right one, nothing behind it would be reached.
    response.set(5, accept_for_key(trim(request.get("Sec-WebSocket-Key"))));
    check_answers(line, status, request, response);
    return 0;
}
