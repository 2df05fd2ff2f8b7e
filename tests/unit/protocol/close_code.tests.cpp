// Which close codes may be on the wire.
#include "protocol/close_code.hpp"

#include <catch2/catch.hpp>

using namespace wsp;

TEST_CASE("close codes that may be sent are those registered or left to applications") {
    struct Range {
        unsigned first, last;
        bool sendable;
    };
    const Range ranges[] = {
        {0, 999, false},     {1000, 1003, true}, {1004, 1006, false},  {1007, 1014, true},
        {1015, 2999, false}, {3000, 4999, true}, {5000, 65535, false},
    };
    for (const Range& range : ranges) {
        unsigned wrong = 0;
        for (unsigned code = range.first; code <= range.last; ++code)
            wrong += may_be_sent(static_cast<std::uint16_t>(code)) == range.sendable ? 0 : 1;
        CAPTURE(range.first, range.last);
        CHECK(wrong == 0);
    }
}

TEST_CASE("codes that say that there was no Close, or no code, are never sent") {
    CHECK_FALSE(may_be_sent(kCloseNoStatus));
    CHECK_FALSE(may_be_sent(kCloseAbnormal));
}

TEST_CASE("the codes that the proxy itself sends may be sent") {
    for (CloseCode code :
         {kCloseNormal, kCloseGoingAway, kCloseProtocolError, kCloseInvalidPayload,
          kClosePolicyViolation, kCloseTooBig, kCloseInternalError, kCloseServiceRestart})
        CHECK(may_be_sent(code));
}
