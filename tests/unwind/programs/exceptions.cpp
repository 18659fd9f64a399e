// Allocates in the depths of calls, in constructors, handlers and while exceptions are on their way.
#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {
struct Noisy {
    std::string text;
    explicit Noisy(int depth) : text(std::to_string(depth) + std::string(40, 'x')) {}
    ~Noisy() { std::vector<char>(text.begin(), text.end()).push_back('.'); }
};

int descend(int depth, int seed) {
    Noisy noisy(depth);
    if (depth == 0) {
        if (seed % 3 == 0)
            throw std::runtime_error("the text of an exception is a block of its own " + noisy.text);
        return static_cast<int>(noisy.text.size());
    }
    std::function<int(int)> next = [noisy, seed](int level) { return descend(level, seed); };
    try {
        return next(depth - 1) + seed % 7;
    } catch (const std::runtime_error &error) {
        std::string kept = error.what() + noisy.text;
        if (depth % 2)
            throw std::runtime_error(kept.substr(0, 50));
        return static_cast<int>(kept.size());
    }
}

void work(int begin) {
    std::map<int, std::unique_ptr<std::string>> found;
    for (int seed = begin; seed < begin + 200000; seed++) {
        std::vector<int> numbers;
        for (int i = 0; i < 9; i++)
            numbers.push_back(seed * 7 % (i + 3));
        std::stable_sort(numbers.begin(), numbers.end());
        try {
            found[numbers[4]] = std::make_unique<std::string>(descend(seed % 9, seed), '.');
        } catch (const std::runtime_error &error) {
            found[seed % 20] = std::make_unique<std::string>(error.what());
        }
    }
}
} // namespace

int main() {
    std::thread other(work, 1);
    work(2);
    other.join();
}
