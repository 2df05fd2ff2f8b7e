// One end of a TLS 1.3 session in memory, whichever library it is made of. The other end is ours
// (support/tls_agreement.hpp).
#pragma once

#include <cstddef>
#include <memory>
#include <random>
#include <string>

#include "tls/suite.hpp"

namespace wsp::test {

// Each function throws std::runtime_error when the library says that something is wrong.
class TlsEnd {
  public:
    virtual ~TlsEnd() = default;

    // One step of the handshake. True when it is over on this side.
    virtual bool shake_hands() = 0;
    // Bytes from the wire, any number.
    virtual void receive(const std::string& wire) = 0;
    // What is to go on the wire.
    virtual std::string take_sent() = 0;

    // Application data in records of any sizes, padded as the end likes.
    virtual void write(const std::string& plain, std::mt19937& random) = 0;
    // What it can decrypt of what it has received.
    virtual std::string read() = 0;
    // Goes out with what is written next, or before.
    virtual void update_key(bool request) = 0;
    // Does nothing where the end is a client.
    virtual void send_ticket() = 0;
    virtual void send_close_notify() = 0;
    virtual bool got_close_notify() const = 0;
    // KeyUpdates of the other side that it puts up with in one session.
    virtual int key_updates_accepted() const = 0;
    // It lets both sides ask for the other's KeyUpdate at the same time (RFC 8446 4.6.3).
    virtual bool takes_crossed_requests() const = 0;
};

using MakeTlsEnd = std::unique_ptr<TlsEnd> (*)(TlsSuite suite, TlsRole role);

}  // namespace wsp::test
