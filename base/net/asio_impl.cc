#include <boost/asio/impl/src.hpp>
#include <utility>  // before Asio 1.74: its awaitable.hpp forgets it
