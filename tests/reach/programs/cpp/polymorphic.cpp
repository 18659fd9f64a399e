// Polymorphic objects in a container of owning pointers; one is taken out and forgotten.
#include "../plant.h"
#include <memory>
#include <vector>

struct shape {
    virtual ~shape() = default;
};
struct circle : shape {
    long radius = 1;
};
struct polygon : shape {
    std::vector<long> points;
    polygon() { points.reserve(6); } // LEAK indirect 1 block 48 bytes under plant
};

static std::vector<std::unique_ptr<shape>> shapes;

static void plant() {
    shapes.reserve(2);
    shapes.emplace_back(new circle);
    shapes.emplace_back(new polygon); // LEAK lost 1 block 32 bytes
    if (!clean)
        seen(shapes.back().release());
}
