// Input of the C++ compilers: the standard library's templates, and some of its own.
#include <algorithm>
#include <cstdio>
#include <map>
#include <memory>
#include <string>
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

template <class... Numbers> auto sum(Numbers... numbers) {
    return (numbers + ...);
}

struct Shape {
    virtual ~Shape() = default;
    virtual double area() const = 0;
};

template <int Sides> struct Polygon : Shape {
    explicit Polygon(double side) : side(side) {}
    double area() const override { return side * side * Sides; }
    double side;
};

int main() {
    std::map<std::string, std::vector<int>> index;
    for (int i = 0; i < 5000; i++)
        index["key" + std::to_string(i % 97)].push_back(i);
    std::vector<std::size_t> sizes;
    for (const auto &[key, values] : index)
        sizes.push_back(values.size() * key.size());
    std::sort(sizes.begin(), sizes.end(), [](auto a, auto b) { return a > b; });
    std::printf("%zu keys, largest %zu\n", sizes.size(), sizes.front());
    std::vector<std::unique_ptr<Shape>> shapes;
    shapes.push_back(std::make_unique<Polygon<3>>(2));
    shapes.push_back(std::make_unique<Polygon<8>>(1.5));
    for (const auto &shape : shapes)
        std::printf("area %.2f\n", shape->area());
    std::printf("%.1f %ld\n", sum(1, 2, 3.5), Fibonacci<40>::value);
}
