// SPDX-License-Identifier: Apache-2.0
#include "io/webhook_server.hpp"

#include <fcntl.h>
#include <microhttpd.h>
#include <netinet/in.h>

#include <charconv>
#include <utility>
#include <vector>

#include "io/connection_deadlines.hpp"
#include "io/listen_socket.hpp"

namespace repoupdate {
namespace {

constexpr std::uint64_t k_max_discarded = 8 * k_max_webhook_body;  // bytes read on only to be able to answer

// A request under way, from its headers to its answer.
struct Exchange {
  WebhookVerdict verdict;
  std::string body;
  std::uint64_t received = 0;  // bytes of the body, whether or not they were kept
};

std::string header_of(MHD_Connection* connection, MHD_ValueKind kind, const char* name) {
  const char* value = MHD_lookup_connection_value(connection, kind, name);
  return value == nullptr ? std::string() : value;
}

std::uint64_t parse_length(const std::string& text) {
  std::uint64_t length = 0;
  std::from_chars(text.data(), text.data() + text.size(), length);
  return length;
}

WebhookRequest request_of(MHD_Connection* connection, const char* path, const char* method) {
  WebhookRequest request;
  request.method = method;
  request.path = path;
  request.authorization = header_of(connection, MHD_HEADER_KIND, "Authorization");
  request.token = header_of(connection, MHD_GET_ARGUMENT_KIND, "token");
  request.content_encoding = header_of(connection, MHD_HEADER_KIND, "Content-Encoding");
  request.content_length = parse_length(header_of(connection, MHD_HEADER_KIND, "Content-Length"));
  return request;
}

std::string peer_of(MHD_Connection* connection) {
  const auto* info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
  if (info == nullptr || info->client_addr == nullptr) return "?";
  const bool is_v6 = info->client_addr->sa_family == AF_INET6;
  return host_of(*info->client_addr, is_v6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in));
}

MHD_Result send_answer(MHD_Connection* connection, const WebhookAnswer& answer, bool offers_basic) {
  std::string text = answer.text.empty() ? "" : answer.text + '\n';
  MHD_Response* response = MHD_create_response_from_buffer(text.size(), text.data(), MHD_RESPMEM_MUST_COPY);
  if (response == nullptr) return MHD_NO;
  MHD_add_response_header(response, "Content-Type", "text/plain; charset=utf-8");
  MHD_add_response_header(response, "Connection", "close");
  if (!answer.allow.empty()) MHD_add_response_header(response, "Allow", answer.allow.c_str());
  if (answer.status == 401)
    MHD_add_response_header(response, "WWW-Authenticate", offers_basic ? "Basic realm=\"events\"" : "Bearer");
  const MHD_Result queued = MHD_queue_response(connection, static_cast<unsigned>(answer.status), response);
  MHD_destroy_response(response);
  return queued;
}

}  // namespace

struct WebhookServer::State {
  State(WebhookServerOptions own_options, WebhookCalls own_calls, ListenSocket own_socket)
      : options(std::move(own_options)),
        calls(std::move(own_calls)),
        socket(std::move(own_socket)),
        deadlines(options.deadline) {}
  ~State() {
    if (daemon != nullptr) MHD_stop_daemon(daemon);
  }

  Result<void> start();
  MHD_Result receive(MHD_Connection* connection, Exchange& exchange, std::string_view bytes);
  MHD_Result begin(MHD_Connection* connection, const WebhookRequest& request, Exchange& exchange);
  MHD_Result conclude(MHD_Connection* connection, const Exchange& exchange);
  WebhookAnswer store(const std::string& body, std::string& reason) const;
  WebhookAnswer check() const;

  // What the library calls, with this object as `self`. No exception may pass through it.
  static MHD_Result on_request(void* self, MHD_Connection* connection, const char* path, const char* method,
                               const char* version, const char* bytes, std::size_t* size, void** exchange);
  static void on_completed(void* self, MHD_Connection* connection, void** exchange, MHD_RequestTerminationCode how);
  static void on_connection(void* self, MHD_Connection* connection, void** context,
                            MHD_ConnectionNotificationCode what);

  const WebhookServerOptions options;
  const WebhookCalls calls;
  const ListenSocket socket;
  ConnectionDeadlines deadlines;
  MHD_Daemon* daemon = nullptr;
};

Result<void> WebhookServer::State::start() {
  const bool tls = !options.tls_certificate.empty();
  if (tls && MHD_is_feature_supported(MHD_FEATURE_TLS) != MHD_YES)
    return Error{ErrorKind::unsupported, "libmicrohttpd was built without TLS here: use a reverse proxy", {}};
  std::vector<MHD_OptionItem> items{
      {MHD_OPTION_THREAD_POOL_SIZE, k_webhook_threads, nullptr},
      {MHD_OPTION_CONNECTION_LIMIT, k_max_webhook_connections, nullptr},
      {MHD_OPTION_CONNECTION_MEMORY_LIMIT, k_max_webhook_header, nullptr},
  };
  if (tls) {
    const auto text = [](const std::string& value) { return const_cast<char*>(value.c_str()); };
    items.push_back({MHD_OPTION_HTTPS_MEM_CERT, 0, text(options.tls_certificate)});
    items.push_back({MHD_OPTION_HTTPS_MEM_KEY, 0, text(options.tls_key)});
    items.push_back({MHD_OPTION_HTTPS_PRIORITIES, 0, const_cast<char*>("NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2")});
  }
  items.push_back({MHD_OPTION_END, 0, nullptr});
  // The library closes the socket that it is given, ours is closed by its owner.
  const int listening = ::fcntl(socket.handle.get(), F_DUPFD_CLOEXEC, 0);
  daemon = MHD_start_daemon(MHD_USE_AUTO_INTERNAL_THREAD | (tls ? MHD_USE_TLS : MHD_NO_FLAG), 0, nullptr, nullptr,
                            &State::on_request, this, MHD_OPTION_LISTEN_SOCKET, listening, MHD_OPTION_NOTIFY_COMPLETED,
                            &State::on_completed, this, MHD_OPTION_NOTIFY_CONNECTION, &State::on_connection, this,
                            MHD_OPTION_ARRAY, items.data(), MHD_OPTION_END);
  if (daemon != nullptr) return {};
  return Error{ErrorKind::invalid,
               "cannot serve on " + socket.address +
                   (tls ? ": the TLS certificate and key are no PEM, or do not belong together" : ""),
               {}};
}

MHD_Result WebhookServer::State::on_request(void* self, MHD_Connection* connection, const char* path,
                                            const char* method, const char*, const char* bytes, std::size_t* size,
                                            void** exchange) try {
  auto& state = *static_cast<State*>(self);
  if (*exchange == nullptr) {  // the headers are there
    auto* made = new Exchange;
    *exchange = made;
    return state.begin(connection, request_of(connection, path, method), *made);
  }
  auto& current = *static_cast<Exchange*>(*exchange);
  if (*size == 0) return state.conclude(connection, current);
  return state.receive(connection, current, {bytes, std::exchange(*size, 0)});
} catch (...) {  // no memory
  return MHD_NO;
}

void WebhookServer::State::on_completed(void*, MHD_Connection*, void** exchange, MHD_RequestTerminationCode) {
  delete static_cast<Exchange*>(std::exchange(*exchange, nullptr));
}

void WebhookServer::State::on_connection(void* self, MHD_Connection* connection, void**,
                                         MHD_ConnectionNotificationCode what) try {
  auto& deadlines = static_cast<State*>(self)->deadlines;
  if (what == MHD_CONNECTION_NOTIFY_CLOSED) return deadlines.remove(connection);
  const auto* info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
  if (info != nullptr) deadlines.add(connection, info->connect_fd);
} catch (...) {  // no memory: this one has no deadline
}

MHD_Result WebhookServer::State::begin(MHD_Connection* connection, const WebhookRequest& request, Exchange& exchange) {
  exchange.verdict = judge_request(request, options.access);
  // Who still sends would not see an answer given now, so one that is no large body is awaited.
  if (request.content_length > k_max_webhook_body) return conclude(connection, exchange);
  return MHD_YES;
}

MHD_Result WebhookServer::State::receive(MHD_Connection*, Exchange& exchange, std::string_view bytes) {
  using Next = WebhookVerdict::Next;
  exchange.received += bytes.size();
  if (exchange.received > k_max_discarded) return MHD_NO;
  if (exchange.verdict.next == Next::take_body && exchange.received > k_max_webhook_body) {  // in chunks: not foretold
    exchange.verdict = {Next::answer, {413, "at most 1 MiB", {}}};
    exchange.body = {};
  }
  if (exchange.verdict.next == Next::take_body) exchange.body += bytes;
  return MHD_YES;
}

MHD_Result WebhookServer::State::conclude(MHD_Connection* connection, const Exchange& exchange) {
  // Whoever asks whether events can be taken has none that is refused.
  if (exchange.verdict.next == WebhookVerdict::Next::check_health) return send_answer(connection, check(), false);
  WebhookAnswer answer = exchange.verdict.answer;
  std::string reason = answer.text;
  if (exchange.verdict.next == WebhookVerdict::Next::take_body) answer = store(exchange.body, reason);
  if (answer.status >= 400) calls.refused(answer.status, reason, peer_of(connection));
  return send_answer(connection, answer, !options.access.user.empty());
}

WebhookAnswer WebhookServer::State::store(const std::string& body, std::string& reason) const {
  WebhookBody judged = judge_body(body);
  reason = judged.problem;
  if (!judged.store) return judged.answer;
  const auto stored = calls.store(body);
  if (stored) return judged.answer;
  reason = stored.error().text();
  return {503, "the event could not be stored; send it again", {}};
}

WebhookAnswer WebhookServer::State::check() const {
  if (calls.check()) return {200, "ok", {}};
  return {503, "events cannot be stored", {}};
}

WebhookServer::WebhookServer(std::unique_ptr<State> state) : m_state(std::move(state)) {}
WebhookServer::~WebhookServer() = default;

Result<std::unique_ptr<WebhookServer>> WebhookServer::start(WebhookServerOptions options, WebhookCalls calls) {
  auto socket = listen_on(options.listen);
  if (!socket) return std::move(socket).error();
  auto state = std::make_unique<State>(std::move(options), std::move(calls), std::move(*socket));
  if (auto started = state->start(); !started) return std::move(started).error();
  return std::unique_ptr<WebhookServer>(new WebhookServer(std::move(state)));
}

std::string WebhookServer::address() const {
  return m_state->socket.address;
}

}  // namespace repoupdate
