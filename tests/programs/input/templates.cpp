// Input of the C++ compilers: the standard library's templates, and some of its own.
#include <algorithm>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <numeric>
#include <string>
#include <tuple>
#include <unordered_map>
#include <variant>
#include <vector>

template <int N> struct Fibonacci {
    static constexpr long value = Fibonacci<N - 1>::value + Fibonacci<N - 2>::value;
};
template <> struct Fibonacci<1> {
    static constexpr long value = 1;
};
template <> struct Fibonacci<0> {
    static constexpr long value = 0;
};

using Value = std::variant<int, double, std::string>;

struct Show {
    std::string operator()(int value) const { return "int " + std::to_string(value); }
    std::string operator()(double value) const { return "double " + std::to_string(value); }
    std::string operator()(const std::string &value) const { return "text " + value; }
};

template <class... Numbers> auto sum(Numbers... numbers) {
    return (numbers + ...);
}

int main() {
    std::unordered_map<std::string, std::vector<int>> index;
    for (int i = 0; i < 5000; i++)
        index["key" + std::to_string(i % 97)].push_back(i);
    std::map<std::size_t, std::vector<std::string>> by_size;
    for (const auto &[key, values] : index)
        by_size[values.size()].push_back(key);
    for (auto &[size, keys] : by_size) {
        std::sort(keys.begin(), keys.end(), std::greater<>());
        std::cout << size << ": " << keys.size() << " keys, last " << keys.front() << "\n";
    }
    std::vector<Value> values = {7, 2.5, std::string("seven")};
    for (const auto &value : values)
        std::cout << std::visit(Show{}, value) << "\n";
    auto shared = std::make_shared<std::tuple<int, std::string>>(1, "one");
    std::cout << std::get<1>(*shared) << " " << sum(1, 2, 3.5) << "\n";
    std::cout << Fibonacci<40>::value << "\n";
}
