// The parts of Asio that base/net uses. Compiled once, in asio_impl.cc.
#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <utility>  // before Asio 1.74: its awaitable.hpp forgets it

namespace heddle::net {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

}  // namespace heddle::net
