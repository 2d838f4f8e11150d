// SPDX-License-Identifier: Apache-2.0
#include "io/http_client.hpp"

#include <curl/curl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <condition_variable>
#include <cstring>
#include <iterator>
#include <mutex>
#include <set>
#include <thread>
#include <utility>
#include <vector>

namespace repoupdate {
namespace {

struct EasyDeleter {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};
using Easy = std::unique_ptr<CURL, EasyDeleter>;

// A curl_slist of lines that are ours: libcurl's own would copy each.
class HeaderList {
public:
  explicit HeaderList(std::vector<std::string> lines) : m_lines(std::move(lines)), m_nodes(m_lines.size()) {
    for (std::size_t i = 0; i < m_lines.size(); ++i)
      m_nodes[i] = {m_lines[i].data(), i + 1 < m_nodes.size() ? &m_nodes[i + 1] : nullptr};
  }
  HeaderList(HeaderList&&) = default;

  curl_slist* get() { return m_nodes.data(); }

private:
  std::vector<std::string> m_lines;
  std::vector<curl_slist> m_nodes;
};

constexpr long k_receive_buffer = 64L << 10;  // of each transfer; the allocator keeps so small a one for the next
constexpr std::size_t k_usual_headers = 16;   // of an answer

std::string one_line(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](char c) { return c == '\n' || c == '\r'; }, ' ');
  return text;
}

std::string_view trim(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

// What the callbacks of one transfer share. libcurl calls them on the thread that runs the transfer.
struct Transfer {
  Transfer(const HttpExchange& exchange_in, curl_socket_t kept_in) : exchange(exchange_in), kept(kept_in) {}

  const HttpExchange& exchange;
  curl_socket_t kept;  // the connection that is used again, if any
  HttpResponse response;
  bool head_is_complete = false;
  std::optional<Error> failure;  // a callback's own; ends the transfer
  std::uint64_t offset = 0;      // of the upload
  std::string_view pending;      // upload bytes given and not yet taken
  bool begun = false;            // of an exchange that goes once: it may have left
  std::array<char, CURL_ERROR_SIZE> reason{};

  std::uint64_t upload_size() const { return exchange.upload ? exchange.upload_size : exchange.body.size(); }
  bool take_header(std::string_view line);
  bool take_body(std::string_view bytes);
  std::size_t give_body(char* buffer, std::size_t size);
  bool may_begin();
  bool check(Result<void> outcome);
};

// A server that writes the head and the body of an answer one after the other, without TCP_NODELAY, as Ceph's gateway
// does by default, keeps the body back until the head is acknowledged, which Linux puts off for 40 ms on a connection
// that has answered before (tcp(7), TCP_QUICKACK; it holds for the moment only).
void acknowledge_at_once(curl_socket_t connection) {
  const int on = 1;
  if (connection != CURL_SOCKET_BAD) ::setsockopt(connection, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on);
}

bool Transfer::check(Result<void> outcome) {
  if (!outcome) failure = std::move(outcome).error();
  return !failure;
}

bool Transfer::take_header(std::string_view line) {
  if (line.starts_with("HTTP/")) {
    // A new answer begins: what came before was an interim one (100 Continue).
    response.headers.clear();
    response.headers.reserve(k_usual_headers);
    const std::size_t space = std::min(line.find(' '), line.size());
    response.status = std::atoi(std::string(line.substr(space)).c_str());
    head_is_complete = false;
    return true;
  }
  if (trim(line).empty()) {
    head_is_complete = response.status >= 200;
    if (head_is_complete) acknowledge_at_once(kept);
    return !exchange.on_head || !response.succeeded() || check(exchange.on_head(response));
  }
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || head_is_complete) return true;  // trailers are of no use here
  std::string name(line.substr(0, colon));
  std::transform(name.begin(), name.end(), name.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  response.headers.emplace_back(std::move(name), trim(line.substr(colon + 1)));
  return true;
}

bool Transfer::take_body(std::string_view bytes) {
  if (!response.succeeded()) {
    response.body.append(bytes.substr(0, k_max_error_body - std::min(k_max_error_body, response.body.size())));
    return true;
  }
  if (exchange.sink) return check(exchange.sink(bytes));
  if (bytes.size() > exchange.body_limit - response.body.size())
    return check(
        Error{ErrorKind::invalid, "the answer is larger than " + std::to_string(exchange.body_limit) + " bytes", {}});
  response.body.append(bytes);
  return true;
}

std::size_t Transfer::give_body(char* buffer, std::size_t size) {
  if (offset >= upload_size()) return 0;
  if (pending.empty()) {
    if (!exchange.upload) {
      pending = exchange.body.substr(offset);
    } else {
      auto bytes = exchange.upload(offset);
      if (!bytes) {
        failure = std::move(bytes).error();
        return CURL_READFUNC_ABORT;
      }
      pending = bytes->substr(0, exchange.upload_size - offset);
    }
  }
  const std::size_t taken = std::min(size, pending.size());
  std::memcpy(buffer, pending.data(), taken);
  pending.remove_prefix(taken);
  offset += taken;
  return taken;
}

bool Transfer::may_begin() {
  return !std::exchange(begun, true) ||
         check(Error{ErrorKind::unavailable, "the connection broke off, and it is not sent again", {}});
}

std::size_t on_header(char* data, std::size_t size, std::size_t count, void* transfer) {
  return static_cast<Transfer*>(transfer)->take_header({data, size * count}) ? size * count : 0;
}

std::size_t on_write(char* data, std::size_t size, std::size_t count, void* transfer) {
  return static_cast<Transfer*>(transfer)->take_body({data, size * count}) ? size * count : CURL_WRITEFUNC_ERROR;
}

std::size_t on_read(char* buffer, std::size_t size, std::size_t count, void* transfer) {
  return static_cast<Transfer*>(transfer)->give_body(buffer, size * count);
}

// libcurl rewinds the upload when a kept connection turns out dead and it sends the request again.
int on_seek(void* data, curl_off_t offset, int origin) {
  if (origin != SEEK_SET || offset < 0) return CURL_SEEKFUNC_CANTSEEK;
  auto* transfer = static_cast<Transfer*>(data);
  transfer->offset = static_cast<std::uint64_t>(offset);
  transfer->pending = {};
  transfer->response.resent = true;
  return CURL_SEEKFUNC_OK;
}

// Called before the request goes out on a connection, and again when libcurl sends it on another one.
int on_request(void* transfer, char*, char*, int, int) {
  return static_cast<Transfer*>(transfer)->may_begin() ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT;
}

// Called at least once a second; non-zero ends the transfer.
int on_progress(void* transfer, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return static_cast<Transfer*>(transfer)->exchange.stop.stop_requested() ? 1 : 0;
}

ErrorKind kind_of(CURLcode code) {
  // No other codes come from the options set here; what is new to us counts as a failure of the connection.
  if (code == CURLE_OPERATION_TIMEDOUT) return ErrorKind::timed_out;
  if (code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_ISSUER_ERROR) return ErrorKind::denied;
  if (code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL) return ErrorKind::invalid;
  // A bundle of authorities that is just being replaced is no fault of the package that is asked for.
  if (code == CURLE_OUT_OF_MEMORY || code == CURLE_FAILED_INIT || code == CURLE_SSL_CACERT_BADFILE)
    return ErrorKind::io;
  return ErrorKind::unavailable;
}

bool has_line_break(std::string_view text) {
  constexpr std::string_view k_breaks("\r\n\0", 3);
  return text.find_first_of(k_breaks) != std::string_view::npos;
}

Result<HeaderList> make_header_list(const HttpRequest& request) {
  std::vector<std::string> lines;
  lines.reserve(request.headers.size() + 1);
  lines.emplace_back("Expect:");  // no round trip before every upload
  for (const auto& [name, value] : request.headers) {
    if (has_line_break(name) || has_line_break(value))
      return Error{ErrorKind::invalid, "header '" + one_line(name) + "': a line break in its value", {}};
    std::string& line = lines.emplace_back();
    line.reserve(name.size() + value.size() + 2);
    line.append(name).append(value.empty() ? ";" : ": ").append(value);
  }
  return HeaderList(std::move(lines));
}

}  // namespace

struct HttpClient::State {
  explicit State(HttpClientOptions options_in) : options(std::move(options_in)) {
    curl_global_init(CURL_GLOBAL_DEFAULT);  // counted by libcurl, and thread-safe since 7.84
  }
  ~State() {
    idle.clear();
    curl_global_cleanup();
  }

  bool enter(const HttpExchange& exchange);
  void leave();
  struct Handle {
    Easy easy;           // keeps its own connections
    std::string origin;  // that it talked to last
    curl_socket_t connection = CURL_SOCKET_BAD;
  };
  Handle take(const std::string& origin);
  void give_back(Handle handle);
  void set_up(CURL* easy) const;
  void prepare(CURL* easy, const HttpRequest& request, const HttpExchange& exchange, Transfer& transfer) const;

  const HttpClientOptions options;
  std::mutex mutex;
  std::condition_variable_any place_is_free;
  std::multiset<std::thread::id> sending;
  std::vector<Handle> idle;  // the last used at the end
};

// False: a stop was requested, or the deadline has passed. A transfer inside another one of the same thread must not
// wait for a place: its own would be the one that never becomes free.
bool HttpClient::State::enter(const HttpExchange& exchange) {
  const auto self = std::this_thread::get_id();
  std::unique_lock lock(mutex);
  const auto may_begin = [&] { return sending.size() < options.max_in_flight || sending.contains(self); };
  const bool entered = exchange.timeout ? place_is_free.wait_for(lock, exchange.stop, *exchange.timeout, may_begin)
                                        : place_is_free.wait(lock, exchange.stop, may_begin);
  if (entered) sending.insert(self);
  return entered;
}

void HttpClient::State::leave() {
  {
    const std::scoped_lock lock(mutex);
    sending.erase(sending.find(std::this_thread::get_id()));
  }
  place_is_free.notify_one();
}

// One that has talked to this origin, as its connection may be open still; else any.
HttpClient::State::Handle HttpClient::State::take(const std::string& origin) {
  const std::scoped_lock lock(mutex);
  if (idle.empty()) {
    Easy made(curl_easy_init());
    if (made) set_up(made.get());
    return {std::move(made), origin};
  }
  const auto known = std::find_if(idle.rbegin(), idle.rend(), [&](const Handle& one) { return one.origin == origin; });
  const auto chosen = known != idle.rend() ? std::prev(known.base()) : std::prev(idle.end());
  Handle handle = std::move(*chosen);
  idle.erase(chosen);
  if (std::exchange(handle.origin, origin) != origin) handle.connection = CURL_SOCKET_BAD;
  return handle;
}

void HttpClient::State::give_back(Handle handle) {
  CURL* easy = handle.easy.get();
  handle.connection = CURL_SOCKET_BAD;
  curl_easy_getinfo(easy, CURLINFO_ACTIVESOCKET, &handle.connection);
  // Until libcurl 8.17 a handle counts the dead connections of its whole life, and after five of them sends nothing
  // again. Only a reset begins anew; it keeps the connections.
  long opened = 0;
  curl_easy_getinfo(easy, CURLINFO_NUM_CONNECTS, &opened);
  if (opened > 0) {
    curl_easy_reset(easy);
    set_up(easy);
  }
  // What belongs to the transfer, which ends.
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, nullptr);
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, nullptr);
  const std::scoped_lock lock(mutex);
  idle.push_back(std::move(handle));
}

// What is the same for every transfer: to set it each time costs some percent of a small one.
void HttpClient::State::set_up(CURL* easy) const {
  const auto stall = std::chrono::ceil<std::chrono::seconds>(options.stall_timeout);
  curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);  // "/a/../b" is a key, and signed as it is
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);  // a signature is for one host
  curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
  curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, k_receive_buffer);
  curl_easy_setopt(easy, CURLOPT_USERAGENT, options.user_agent.c_str());
  curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, k_least_speed);
  curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, static_cast<long>(stall.count()));
  if (!options.ca_bundle.empty()) {
    curl_easy_setopt(easy, CURLOPT_CAINFO, options.ca_bundle.c_str());
    curl_easy_setopt(easy, CURLOPT_CAPATH, nullptr);  // instead of the system's, not beside them
  }
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_write);
  curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_read);
  curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, on_seek);
  curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, on_progress);
  curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
}

// Everything that differs between transfers is set each time: a handle keeps what the one before it had.
void HttpClient::State::prepare(CURL* easy, const HttpRequest& request, const HttpExchange& exchange,
                                Transfer& transfer) const {
  const bool is_head = request.method == "HEAD";
  const bool is_upload = request.method == "PUT" || request.method == "POST";
  const Duration connect = std::min(options.connect_timeout, exchange.timeout.value_or(options.connect_timeout));
  curl_easy_setopt(easy, CURLOPT_URL, url(request).c_str());
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer.reason.data());
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(connect.count()));
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(exchange.timeout.value_or(Duration(0)).count()));
  curl_easy_setopt(easy, CURLOPT_NOPROXY, exchange.direct ? "*" : nullptr);  // null: as the environment says
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, &transfer);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, &transfer);
  curl_easy_setopt(easy, CURLOPT_READDATA, &transfer);
  curl_easy_setopt(easy, CURLOPT_SEEKDATA, &transfer);
  curl_easy_setopt(easy, CURLOPT_XFERINFODATA, &transfer);
  curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, exchange.once ? on_request : nullptr);
  curl_easy_setopt(easy, CURLOPT_PREREQDATA, &transfer);
  curl_easy_setopt(easy, CURLOPT_UPLOAD, is_upload ? 1L : 0L);  // also when empty: Content-Length: 0 is wanted then
  curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, is_upload ? static_cast<curl_off_t>(transfer.upload_size()) : -1);
  curl_easy_setopt(easy, CURLOPT_NOBODY, is_head ? 1L : 0L);  // after UPLOAD, which takes it back
  curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, is_head ? nullptr : request.method.c_str());
}

HttpClient::HttpClient(HttpClientOptions options) : m_state(std::make_unique<State>(std::move(options))) {}

HttpClient::~HttpClient() = default;

Result<HttpResponse> HttpClient::send(const HttpRequest& request, const HttpExchange& exchange) {
  const std::string where = request.scheme + "://" + request.host;
  if (exchange.stop.stop_requested()) return Error{ErrorKind::cancelled, where + ": stopped", {}};
  auto headers = make_header_list(request);
  if (!headers) return headers.error();
  if (!m_state->enter(exchange)) {
    if (exchange.stop.stop_requested()) return Error{ErrorKind::cancelled, where + ": stopped", {}};
    return Error{ErrorKind::timed_out, where + ": too many requests are under way", {}};
  }
  State::Handle handle = m_state->take(where);
  CURL* easy = handle.easy.get();
  if (!easy) {
    m_state->leave();
    return Error{ErrorKind::io, "libcurl cannot make a connection handle", {}};
  }

  Transfer transfer(exchange, handle.connection);
  m_state->prepare(easy, request, exchange, transfer);
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers->get());
  const CURLcode code = curl_easy_perform(easy);
  m_state->give_back(std::move(handle));
  m_state->leave();

  if (transfer.failure) return *std::move(transfer.failure);
  // A service may refuse an upload before it has taken all of it, and close: its refusal is the answer.
  const bool refused = transfer.upload_size() > 0 && transfer.head_is_complete && transfer.response.status >= 300;
  const bool broke_off = code == CURLE_SEND_ERROR || code == CURLE_RECV_ERROR || code == CURLE_PARTIAL_FILE;
  if (code == CURLE_OK && !transfer.head_is_complete)  // to libcurl it is an answer without a body: "200", and nothing
    return Error{ErrorKind::unavailable, where + ": the answer ends in its head", {}};
  if (code == CURLE_OK || (refused && broke_off)) return std::move(transfer.response);
  if (code == CURLE_ABORTED_BY_CALLBACK) return Error{ErrorKind::cancelled, where + ": stopped", {}};
  const char* reason = transfer.reason[0] != '\0' ? transfer.reason.data() : curl_easy_strerror(code);
  return Error{kind_of(code), where + ": " + one_line(reason), {}};
}

}  // namespace repoupdate
