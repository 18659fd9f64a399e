// A server without a network: one thread makes requests, four answer them, and the first frees
// the answers, so most blocks die on another thread than the one that made them.
//
// usage: server PERCENT
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace {

struct message {
    std::uint64_t number;
    std::string text;
    std::vector<std::pair<std::string, std::string>> headers;
};

using batch = std::vector<std::unique_ptr<message>>;

class channel {
public:
    void send(batch some) {
        {
            std::unique_lock<std::mutex> lock(mutex);
            space.wait(lock, [this] { return waiting.size() < 64; });
            waiting.push_back(std::move(some));
        }
        filled.notify_one();
    }
    batch receive() {
        batch some;
        {
            std::unique_lock<std::mutex> lock(mutex);
            filled.wait(lock, [this] { return !waiting.empty(); });
            some = std::move(waiting.front());
            waiting.pop_front();
        }
        space.notify_one();
        return some;
    }

private:
    std::mutex mutex;
    std::condition_variable filled, space;
    std::deque<batch> waiting;
};

std::unique_ptr<message> request(std::uint64_t number) {
    auto made = std::make_unique<message>();
    made->number = number;
    made->text = "GET /item/" + std::to_string(number * 7919 % 100003) + "?user=" +
                 std::to_string(number % 977) + " HTTP/1.1\r\nHost: shop.example\r\n" +
                 "Accept: text/html\r\nCookie: session=" + std::to_string(number * 31 % 4099) +
                 "\r\nUser-Agent: workload\r\n\r\n";
    return made;
}

void parse(message &of) {
    std::size_t start = of.text.find("\r\n") + 2;
    for (;;) {
        std::size_t end = of.text.find("\r\n", start);
        if (end == std::string::npos || end == start)
            return;
        std::size_t colon = of.text.find(": ", start);
        of.headers.emplace_back(of.text.substr(start, colon - start),
                                of.text.substr(colon + 2, end - colon - 2));
        start = end + 2;
    }
}

std::unique_ptr<message> answer(std::unique_ptr<message> to,
                                std::map<std::string, std::string> &sessions) {
    parse(*to);
    auto made = std::make_unique<message>();
    made->number = to->number;
    std::string body = "<html><body>";
    for (const auto &[name, value] : to->headers) {
        body += "<p>" + name + " is " + value + "</p>";
        if (name == "Cookie")
            sessions[value] = to->text.substr(0, 24 + to->number % 40);
    }
    made->headers.emplace_back("Content-Length", std::to_string(body.size()));
    made->text = "HTTP/1.1 200 OK\r\n\r\n" + body + "</body></html>";
    return made;
}

void serve(channel &requests, channel &answers) {
    std::map<std::string, std::string> sessions;
    for (;;) {
        batch some = requests.receive();
        if (some.empty())
            return;
        batch done;
        for (auto &one : some)
            done.push_back(answer(std::move(one), sessions));
        answers.send(std::move(done));
    }
}

}  // namespace

int main(int count, char **words) {
    std::uint64_t batches = (count > 1 ? std::strtoull(words[1], nullptr, 10) : 100) * 200;
    channel requests, answers;
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; i++)
        threads.emplace_back([&] { serve(requests, answers); });
    std::thread source([&] {
        std::uint64_t number = 0;
        for (std::uint64_t i = 0; i < batches; i++) {
            batch some;
            for (int j = 0; j < 16; j++)
                some.push_back(request(number++));
            requests.send(std::move(some));
        }
        for (int i = 0; i < 4; i++)
            requests.send({});
    });
    std::uint64_t total = 0;
    for (std::uint64_t i = 0; i < batches; i++)
        for (const auto &one : answers.receive())
            total += one->text.size() * (one->number % 13 + 1);
    source.join();
    for (auto &thread : threads)
        thread.join();
    std::printf("%llu\n", static_cast<unsigned long long>(total));
}
