#include "base/net/http.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/text.h"

namespace heddle::net {
namespace {

bool same_name(std::string_view a, std::string_view b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) {
           const auto lower = [](char c) {
             return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
           };
           return lower(x) == lower(y);
         });
}

}  // namespace

void HttpFields::set(std::string_view name, std::string value) {
  std::erase_if(fields_, [&](const auto& field) { return same_name(field.first, name); });
  fields_.emplace_back(std::string(name), std::move(value));
}

const std::string* HttpFields::find(std::string_view name) const {
  for (const auto& [key, value] : fields_) {
    if (same_name(key, name)) return &value;
  }
  return nullptr;
}

std::string_view HttpFields::get(std::string_view name) const {
  const std::string* value = find(name);
  return value == nullptr ? std::string_view() : std::string_view(*value);
}

const std::string* HttpRequest::query_value(std::string_view name) const {
  for (const auto& [key, value] : query) {
    if (key == name) return &value;
  }
  return nullptr;
}

Result<HttpQuery> parse_query(std::string_view text) {
  HttpQuery query;
  while (!text.empty()) {
    const auto end = text.find('&');
    const std::string_view part = text.substr(0, end);
    if (!part.empty()) {
      const auto equals = part.find('=');
      auto name = percent_decode(part.substr(0, equals), true);
      if (!name) return fail(std::move(name).error());
      std::string value;
      if (equals != std::string_view::npos) {
        auto decoded = percent_decode(part.substr(equals + 1), true);
        if (!decoded) return fail(std::move(decoded).error());
        value = *std::move(decoded);
      }
      query.emplace_back(*std::move(name), std::move(value));
    }
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return query;
}

HttpResponse text_response(int status, std::string_view content_type, std::string body) {
  HttpResponse response;
  response.status = status;
  response.headers.add("Content-Type", std::string(content_type));
  response.body = std::move(body);
  return response;
}

std::string_view reason_phrase(int status) {
  switch (status) {
    case 100: return "Continue";
    case 101: return "Switching Protocols";
    case 200: return "OK";
    case 201: return "Created";
    case 202: return "Accepted";
    case 204: return "No Content";
    case 206: return "Partial Content";
    case 301: return "Moved Permanently";
    case 302: return "Found";
    case 303: return "See Other";
    case 304: return "Not Modified";
    case 307: return "Temporary Redirect";
    case 308: return "Permanent Redirect";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 406: return "Not Acceptable";
    case 408: return "Request Timeout";
    case 409: return "Conflict";
    case 410: return "Gone";
    case 411: return "Length Required";
    case 412: return "Precondition Failed";
    case 413: return "Request Entity Too Large";
    case 414: return "URI Too Long";
    case 415: return "Unsupported Media Type";
    case 416: return "Range Not Satisfiable";
    case 417: return "Expectation Failed";
    case 421: return "Misdirected Request";
    case 426: return "Upgrade Required";
    case 428: return "Precondition Required";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 500: return "Internal Server Error";
    case 501: return "Not Implemented";
    case 502: return "Bad Gateway";
    case 503: return "Service Unavailable";
    case 504: return "Gateway Timeout";
    case 505: return "HTTP Version Not Supported";
    default: return "Unknown";
  }
}

void LateHandler::set(HttpHandler handler) {
  const std::scoped_lock lock(state_->mutex);
  state_->handler = std::make_shared<const HttpHandler>(std::move(handler));
}

void LateHandler::operator()(HttpRequest request, std::shared_ptr<HttpResponder> responder) const {
  std::shared_ptr<const HttpHandler> handler;
  {
    const std::scoped_lock lock(state_->mutex);
    handler = state_->handler;
  }
  if (handler == nullptr) {
    responder->respond(text_response(503, "text/plain", "starting\n"));
    return;
  }
  (*handler)(std::move(request), std::move(responder));
}

}  // namespace heddle::net
