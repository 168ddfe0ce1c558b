#include "base/net/tcp_connection.h"

#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

#include "base/bytes.h"
#include "base/net/resolve.h"

namespace heddle::net {
namespace {

constexpr std::size_t kPartsPerWrite = 64;
constexpr std::uint64_t kBytesPerTurn = 4_MiB;  // then other connections get a turn
constexpr int kReadsPerTurn = 8;
constexpr auto kLingerTimeout = std::chrono::seconds(2);
constexpr std::uint64_t kLingerBytes = 16_MiB;

std::string errno_text(int code) {
  return std::system_category().message(code);
}

}  // namespace

TcpConnection::TcpConnection(EventLoop& loop, tcp::socket socket, std::function<void()> released)
    : loop_(loop), socket_(std::move(socket)), released_(std::move(released)) {
  error_code ignored;
  peer_ = to_endpoint(socket_.remote_endpoint(ignored));
  local_ = to_endpoint(socket_.local_endpoint(ignored));
  socket_.set_option(tcp::no_delay(true), ignored);
  socket_.non_blocking(true, ignored);
}

TcpConnection::~TcpConnection() {
  drop_output();
  if (released_) released_();
}

void TcpConnection::start(const HandlerFactory& factory) {
  if (loop_.impl().closing) {
    close("stopping");
    return;
  }
  loop_.impl().open.insert(self());
  handler_ = factory(self());
  if (handler_ == nullptr) {
    close("not wanted");
    return;
  }
  attach(*handler_, self());
  wait_for_input();
}

void TcpConnection::wait_for_input() {
  if (waiting_for_input_ || state_ == State::kClosed || peer_finished_) return;
  waiting_for_input_ = true;
  socket_.async_wait(tcp::socket::wait_read, [self = self()](error_code error) {
    self->waiting_for_input_ = false;
    if (error || self->state_ == State::kClosed) return;
    if (self->state_ == State::kLingering) {
      self->discard_input();
    } else {
      self->read_available();
    }
  });
}

void TcpConnection::read_available() {
  auto& buffer = loop_.impl().read_buffer;
  for (int i = 0; i < kReadsPerTurn; ++i) {
    if (!reading_wanted_ || state_ != State::kOpen) return;
    const ssize_t count = ::recv(socket_.native_handle(), buffer.data(), buffer.size(), 0);
    if (count < 0) {
      if (errno == EINTR) continue;
      if (errno == EAGAIN || errno == EWOULDBLOCK) break;
      close(errno_text(errno));
      return;
    }
    if (count == 0) {
      peer_finished_ = true;
      handler_->on_peer_finished();
      return;
    }
    handler_->on_bytes({buffer.data(), static_cast<std::size_t>(count)});
    if (static_cast<std::size_t>(count) < buffer.size()) break;
  }
  if (reading_wanted_ && state_ == State::kOpen) wait_for_input();
}

void TcpConnection::resume_reading() {
  if (reading_wanted_) return;
  reading_wanted_ = true;
  if (state_ == State::kOpen) wait_for_input();
}

void TcpConnection::send(std::string bytes) {
  if (state_ != State::kOpen || bytes.empty()) return;
  pending_bytes_ += bytes.size();
  output_.emplace_back(std::move(bytes));
  schedule_flush();
}

void TcpConnection::send_file(int descriptor, std::uint64_t offset, std::uint64_t length) {
  if (state_ != State::kOpen || length == 0) {
    ::close(descriptor);
    return;
  }
  pending_bytes_ += length;
  output_.emplace_back(FilePart{descriptor, offset, length});
  schedule_flush();
}

void TcpConnection::schedule_flush() {
  if (std::exchange(flush_scheduled_, true)) return;
  // Behind all handlers that are ready now: whatever they send joins the same write.
  asio::post(loop_.impl().io, [self = self()] {
    self->flush_scheduled_ = false;
    self->flush();
  });
}

void TcpConnection::flush() {
  if (state_ != State::kOpen && state_ != State::kFlushing) return;
  const std::uint64_t enough = pending_bytes_ - std::min(pending_bytes_, kBytesPerTurn);
  while (!output_.empty()) {
    if (pending_bytes_ <= enough && enough > 0) {
      schedule_flush();
      return;
    }
    auto* file = std::get_if<FilePart>(&output_.front());
    const Progress progress = file != nullptr ? write_file(*file) : write_strings();
    if (progress == Progress::kFailed) return;
    if (progress == Progress::kWouldBlock) {
      flush_scheduled_ = true;
      socket_.async_wait(tcp::socket::wait_write, [self = self()](error_code error) {
        self->flush_scheduled_ = false;
        if (!error) self->flush();
      });
      return;
    }
  }
  flushed();
}

TcpConnection::Progress TcpConnection::write_strings() {
  std::array<iovec, kPartsPerWrite> parts;
  std::size_t count = 0;
  for (auto& part : output_) {
    auto* text = std::get_if<std::string>(&part);
    if (text == nullptr || count == parts.size()) break;
    const std::size_t skip = count == 0 ? front_sent_ : 0;
    parts[count++] = {text->data() + skip, text->size() - skip};
  }
  msghdr message{};
  message.msg_iov = parts.data();
  message.msg_iovlen = count;
  const ssize_t sent = ::sendmsg(socket_.native_handle(), &message, MSG_NOSIGNAL);
  if (sent < 0) return failed_write();
  pending_bytes_ -= static_cast<std::uint64_t>(sent);
  auto left = static_cast<std::size_t>(sent);
  while (left > 0) {
    const std::size_t rest = std::get<std::string>(output_.front()).size() - front_sent_;
    if (left < rest) {
      front_sent_ += left;
      break;
    }
    left -= rest;
    front_sent_ = 0;
    output_.pop_front();
  }
  return Progress::kMore;
}

TcpConnection::Progress TcpConnection::write_file(FilePart& file) {
  auto offset = static_cast<off_t>(file.offset);
  const std::size_t length = std::min(file.length, kBytesPerTurn);
  const ssize_t sent = ::sendfile(socket_.native_handle(), file.descriptor, &offset, length);
  if (sent < 0) return failed_write();
  if (sent == 0) {
    close("a file that is being sent became shorter");
    return Progress::kFailed;
  }
  const auto count = static_cast<std::uint64_t>(sent);
  pending_bytes_ -= count;
  file.offset += count;
  file.length -= count;
  if (file.length == 0) {
    ::close(file.descriptor);
    output_.pop_front();
  }
  return Progress::kMore;
}

TcpConnection::Progress TcpConnection::failed_write() {
  if (errno == EINTR) return Progress::kMore;
  if (errno == EAGAIN || errno == EWOULDBLOCK) return Progress::kWouldBlock;
  close(errno_text(errno));
  return Progress::kFailed;
}

void TcpConnection::drop_output() {
  for (auto& part : output_) {
    if (auto* file = std::get_if<FilePart>(&part)) ::close(file->descriptor);
  }
  output_.clear();
  pending_bytes_ = 0;
}

void TcpConnection::flushed() {
  if (state_ == State::kFlushing) {
    linger();
  } else if (handler_ != nullptr) {
    handler_->on_drained();
  }
}

void TcpConnection::close_after_flush(std::string_view reason, Duration patience) {
  if (state_ != State::kOpen) return;
  state_ = State::kFlushing;
  close_reason_ = reason;
  watch_flush(patience);
  schedule_flush();
}

// Looks at progress and not at the time passed: the last answer may be a file of any size.
void TcpConnection::watch_flush(Duration patience) {
  close_timer_ = loop_.run_after(patience, [self = self(), patience, before = pending_bytes_] {
    if (self->pending_bytes_ < before) {
      self->watch_flush(patience);
    } else {
      self->close("the peer does not take the last bytes: " + self->close_reason_);
    }
  });
}

// Closing with unread input makes the kernel send a reset, which may overtake the last answer.
// So the write side is closed first, and input is thrown away until the peer has closed too.
void TcpConnection::linger() {
  state_ = State::kLingering;
  error_code ignored;
  socket_.shutdown(tcp::socket::shutdown_send, ignored);
  tell_closed(close_reason_);
  if (peer_finished_) {
    close(close_reason_);
    return;
  }
  close_timer_ =
      loop_.run_after(kLingerTimeout, [self = self()] { self->close(self->close_reason_); });
  wait_for_input();
}

void TcpConnection::discard_input() {
  auto& buffer = loop_.impl().read_buffer;
  const ssize_t count = ::recv(socket_.native_handle(), buffer.data(), buffer.size(), 0);
  const bool again = count < 0 && (errno == EINTR || errno == EAGAIN || errno == EWOULDBLOCK);
  discarded_bytes_ += count > 0 ? static_cast<std::uint64_t>(count) : 0;
  if ((count <= 0 && !again) || discarded_bytes_ > kLingerBytes) {
    close(close_reason_);
    return;
  }
  wait_for_input();
}

void TcpConnection::close(std::string_view reason) {
  if (state_ == State::kClosed) return;
  const auto keep = self();
  state_ = State::kClosed;
  const std::string why(reason);
  close_timer_ = {};
  error_code ignored;
  socket_.close(ignored);
  drop_output();
  loop_.impl().open.erase(keep);
  if (auto released = std::exchange(released_, nullptr)) released();
  tell_closed(why);
}

// Later, because the handler may be in the middle of a call now.
void TcpConnection::tell_closed(std::string_view reason) {
  if (handler_ == nullptr) return;
  asio::post(loop_.impl().io, [self = self(), reason = std::string(reason)] {
    if (const auto handler = std::exchange(self->handler_, nullptr)) handler->on_closed(reason);
  });
}

}  // namespace heddle::net
