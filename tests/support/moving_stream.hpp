// A stream that moves before each call, as if to another process: it is written into an image and made anew from it.
#pragma once

#include <fcntl.h>
#include <catch2/catch.hpp>

#include <memory>
#include <utility>

#include "net/moved_stream.hpp"

namespace wsp::test {

class MovingStream final : public Stream {
  public:
    MovingStream(std::unique_ptr<Stream> first, RecordWorkspace& workspace)
        : stream_(std::move(first)), workspace_(workspace) {}

    IoResult read_some(std::uint8_t* to, std::size_t room) noexcept override {
        return moved().read_some(to, room);
    }
    IoResult write_some(const std::uint8_t* from, std::size_t size) noexcept override {
        return moved().write_some(from, size);
    }
    void shutdown_write() noexcept override { moved().shutdown_write(); }
    int fd() const noexcept override { return stream_->fd(); }
    bool has_buffered_input() const noexcept override { return stream_->has_buffered_input(); }
    Interest interest_to_read() const noexcept override { return stream_->interest_to_read(); }
    Interest interest_to_write() const noexcept override { return stream_->interest_to_write(); }
    std::uint64_t wire_bytes_read() const noexcept override { return stream_->wire_bytes_read(); }
    std::uint64_t wire_bytes_written() const noexcept override {
        return stream_->wire_bytes_written();
    }

  private:
    Stream& moved() noexcept {
        ImageWriter writer;
        const bool written = write_stream(writer, *stream_) && writer.ok();
        ImageReader reader(writer.data(), writer.size());
        UniqueFd fd(::fcntl(stream_->fd(), F_DUPFD_CLOEXEC, 3));
        std::unique_ptr<Stream> made = read_stream(reader, std::move(fd), &workspace_);
        ImageWriter again;
        const bool same = made != nullptr && write_stream(again, *made) &&
                          again.size() == writer.size() &&
                          std::equal(again.data(), again.data() + again.size(), writer.data());
        CHECK((written && reader.at_end() && same));
        stream_ = std::move(made);
        return *stream_;
    }

    std::unique_ptr<Stream> stream_;
    RecordWorkspace& workspace_;
};

}  // namespace wsp::test
