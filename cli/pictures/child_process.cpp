#include "pictures/child_process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <thread>

extern char** environ;

namespace bilevel::cli {

namespace {

using Clock = std::chrono::steady_clock;

/// A file descriptor with one owner.
class Descriptor {
 public:
  Descriptor() = default;
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() { reset(); }
  void reset(int descriptor = -1) {
    if (descriptor_ >= 0) close(descriptor_);
    descriptor_ = descriptor;
  }
  int get() const { return descriptor_; }
  bool is_open() const { return descriptor_ >= 0; }

 private:
  int descriptor_ = -1;
};

/// A socket pair, not a pipe: sending on it can be told not to raise SIGPIPE, which would end the whole program.
struct Channel {
  Descriptor ours, theirs;
  bool open() {
    std::array<int, 2> ends{};
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) return false;
    ours.reset(ends[0]);
    theirs.reset(ends[1]);
    return true;
  }
};

int milliseconds_until(Clock::time_point deadline) {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
  return static_cast<int>(std::clamp<long long>(left, 0, 60'000));
}

bool would_wait() { return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR; }

/// Sends what the child is ready to take; closes the channel at the end of the input or when nobody reads it.
void send_some(Descriptor& to, std::string_view& input) {
  const auto sent = send(to.get(), input.data(), input.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  if (sent >= 0) input.remove_prefix(static_cast<std::size_t>(sent));
  if (input.empty() || (sent < 0 && !would_wait())) to.reset();
}

void receive_some(Descriptor& from, std::string& text) {
  std::array<char, 65536> buffer;
  const auto received = recv(from.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (received > 0) text.append(buffer.data(), static_cast<std::size_t>(received));
  if (received == 0 || (received < 0 && !would_wait())) from.reset();
}

/// Serves the three channels until the child has closed its ends. False: the deadline came first.
bool converse(Descriptor& in, Descriptor& out, Descriptor& err, std::string_view input, ChildResult& result,
              Clock::time_point deadline) {
  if (input.empty()) in.reset();
  while (out.is_open() || err.is_open()) {
    // A descriptor of -1 is ignored by poll.
    std::array<pollfd, 3> watched{pollfd{in.get(), POLLOUT, 0}, pollfd{out.get(), POLLIN, 0},
                                  pollfd{err.get(), POLLIN, 0}};
    const int ready = poll(watched.data(), watched.size(), milliseconds_until(deadline));
    if (Clock::now() >= deadline) return false;
    if (ready <= 0) continue;
    if (watched[0].revents != 0) send_some(in, input);
    if (watched[1].revents != 0) receive_some(out, result.output);
    if (watched[2].revents != 0) receive_some(err, result.error);
  }
  return true;
}

/// Waits for the end of a child that has closed its output, which need not have ended yet.
bool wait_until(pid_t child, int& status, Clock::time_point deadline) {
  for (;;) {
    const pid_t ended = waitpid(child, &status, WNOHANG);
    if (ended == child || (ended < 0 && errno != EINTR)) return true;
    if (Clock::now() >= deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

}  // namespace

ChildResult run_child(const std::vector<std::string>& command, std::string_view input,
                      std::chrono::milliseconds time_limit) {
  const auto deadline = Clock::now() + time_limit;
  ChildResult result;
  Channel in, out, err;
  if (!in.open() || !out.open() || !err.open()) {
    result.error = std::strerror(errno);
    return result;
  }

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in.theirs.get(), STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, out.theirs.get(), STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, err.theirs.get(), STDERR_FILENO);
  std::vector<char*> arguments;
  for (const auto& argument : command) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  pid_t child = 0;
  const int failure = posix_spawnp(&child, arguments[0], &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (failure != 0) {
    result.end = failure == ENOENT ? ChildResult::End::not_found : ChildResult::End::not_started;
    result.error = std::strerror(failure);
    return result;
  }
  in.theirs.reset();
  out.theirs.reset();
  err.theirs.reset();

  int status = 0;
  if (!converse(in.ours, out.ours, err.ours, input, result, deadline) || !wait_until(child, status, deadline)) {
    kill(child, SIGKILL);
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    result.end = ChildResult::End::timed_out;
  } else if (WIFSIGNALED(status)) {
    result.end = ChildResult::End::signalled;
    result.code = WTERMSIG(status);
  } else {
    result.end = ChildResult::End::exited;
    result.code = WEXITSTATUS(status);
  }
  return result;
}

}  // namespace bilevel::cli
