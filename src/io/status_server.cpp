// SPDX-License-Identifier: Apache-2.0
#include "io/status_server.hpp"

#include <fcntl.h>
#include <microhttpd.h>

#include <utility>

#include "io/connection_deadlines.hpp"
#include "io/listen_socket.hpp"

namespace repoupdate {
namespace {

MHD_Result send_answer(MHD_Connection* connection, StatusAnswer answer, const char* allow) {
  MHD_Response* response =
      MHD_create_response_from_buffer(answer.body.size(), answer.body.data(), MHD_RESPMEM_MUST_COPY);
  if (response == nullptr) return MHD_NO;
  MHD_add_response_header(response, "Content-Type", answer.content_type.c_str());
  MHD_add_response_header(response, "Cache-Control", "no-store");
  MHD_add_response_header(response, "Connection", "close");
  if (allow != nullptr) MHD_add_response_header(response, "Allow", allow);
  const MHD_Result queued = MHD_queue_response(connection, static_cast<unsigned>(answer.status), response);
  MHD_destroy_response(response);
  return queued;
}

}  // namespace

struct StatusServer::State {
  State(StatusPages own_pages, ListenSocket own_socket)
      : pages(std::move(own_pages)), socket(std::move(own_socket)), deadlines(k_status_deadline) {}
  ~State() {
    if (daemon != nullptr) MHD_stop_daemon(daemon);
  }

  Result<void> start();

  // What the library calls, with this object as `self`. No exception may pass through it.
  static MHD_Result on_request(void* self, MHD_Connection* connection, const char* path, const char* method,
                               const char* version, const char* bytes, std::size_t* size, void** seen);
  static void on_connection(void* self, MHD_Connection* connection, void** context,
                            MHD_ConnectionNotificationCode what);

  const StatusPages pages;
  const ListenSocket socket;
  ConnectionDeadlines deadlines;
  MHD_Daemon* daemon = nullptr;
};

Result<void> StatusServer::State::start() {
  // The library closes the socket that it is given, ours is closed by its owner.
  const int listening = ::fcntl(socket.handle.get(), F_DUPFD_CLOEXEC, 0);
  daemon = MHD_start_daemon(MHD_USE_AUTO_INTERNAL_THREAD, 0, nullptr, nullptr, &State::on_request, this,
                            MHD_OPTION_LISTEN_SOCKET, listening, MHD_OPTION_CONNECTION_LIMIT, k_max_status_connections,
                            MHD_OPTION_CONNECTION_MEMORY_LIMIT, k_max_status_header, MHD_OPTION_NOTIFY_CONNECTION,
                            &State::on_connection, this, MHD_OPTION_END);
  if (daemon != nullptr) return {};
  return Error{ErrorKind::invalid, "cannot serve on " + socket.address, {}};
}

MHD_Result StatusServer::State::on_request(void* self, MHD_Connection* connection, const char* path, const char* method,
                                           const char*, const char*, std::size_t* size, void** seen) try {
  const auto& state = *static_cast<State*>(self);
  if (*seen == nullptr) {  // the headers; an answer given now would close the connection under what is still sent
    *seen = self;
    return MHD_YES;
  }
  if (*size != 0) {  // a body, which is of no use
    *size = 0;
    return MHD_YES;
  }
  const std::string_view verb = method;
  if (verb != "GET" && verb != "HEAD")
    return send_answer(connection, {405, "text/plain; charset=utf-8", "only GET and HEAD\n"}, "GET, HEAD");
  return send_answer(connection, state.pages(path), nullptr);
} catch (...) {  // no memory
  return MHD_NO;
}

void StatusServer::State::on_connection(void* self, MHD_Connection* connection, void**,
                                        MHD_ConnectionNotificationCode what) try {
  auto& deadlines = static_cast<State*>(self)->deadlines;
  if (what == MHD_CONNECTION_NOTIFY_CLOSED) return deadlines.remove(connection);
  const auto* info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
  if (info != nullptr) deadlines.add(connection, info->connect_fd);
} catch (...) {  // no memory: this one has no deadline
}

StatusServer::StatusServer(std::unique_ptr<State> state) : m_state(std::move(state)) {}
StatusServer::~StatusServer() = default;

Result<std::unique_ptr<StatusServer>> StatusServer::start(const std::string& listen, StatusPages pages) {
  auto socket = listen_on(listen);
  if (!socket) return std::move(socket).error();
  auto state = std::make_unique<State>(std::move(pages), std::move(*socket));
  if (auto started = state->start(); !started) return std::move(started).error();
  return std::unique_ptr<StatusServer>(new StatusServer(std::move(state)));
}

std::string StatusServer::address() const {
  return m_state->socket.address;
}

}  // namespace repoupdate
