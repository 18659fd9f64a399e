// Maps of strings: an index of words, grouped, renamed and erased again.
//
// usage: maps PERCENT
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace {

std::uint64_t state = 88172645463325252u;

std::uint64_t draw() {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

std::string word() {
    static const char *const parts[] = {"ka", "lo", "mi", "ten", "sur", "ba", "ri", "on", "qu"};
    std::string made;
    for (std::uint64_t length = 2 + draw() % 9; length > 0; length--)
        made += parts[draw() % 9];
    return made;
}

struct entry {
    std::string name;
    std::vector<std::string> places;
};

std::size_t turn() {
    std::map<std::string, std::shared_ptr<entry>> index;
    std::unordered_map<std::string, std::size_t> counts;
    for (int i = 0; i < 30000; i++) {
        std::string name = word();
        auto &found = index[name];
        if (!found)
            found = std::make_shared<entry>(entry{name + "-entry", {}});
        found->places.push_back("line " + std::to_string(i) + " of " + name);
        counts[name.substr(0, 6)]++;
    }
    std::map<std::size_t, std::vector<std::string>> lengths;
    std::size_t total = 0;
    for (const auto &[name, found] : index) {
        lengths[name.size()].push_back(name + ":" + std::to_string(found->places.size()));
        if (found->places.size() % 3 == 0)
            total += found->places.back().size();
    }
    for (auto place = index.begin(); place != index.end();)
        place = place->second->places.size() == 1 ? index.erase(place) : std::next(place);
    for (const auto &[length, names] : lengths)
        total += length * names.size() + names.front().size();
    return total + index.size() + counts.size();
}

}  // namespace

int main(int count, char **words) {
    long turns = (count > 1 ? std::atol(words[1]) : 100) / 5;
    std::size_t total = 0;
    for (long i = 0; i < (turns > 0 ? turns : 1); i++)
        total += turn();
    std::printf("%zu\n", total);
}
