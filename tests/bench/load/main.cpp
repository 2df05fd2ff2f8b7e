// wsbench: the two ends of the measurement.
//
//   wsbench backend PORTS
//   wsbench echo|open --port P [--tls] [--connections N] [--size BYTES] [--count N] [--rate N]
//   [--seconds N]
//
// See backend.hpp and loads.hpp.
#include <cstdio>
#include <stdexcept>
#include <string>

#include "backend.hpp"
#include "loads.hpp"

namespace {

bench::LoadOptions parse(int argc, char** argv) {
    bench::LoadOptions options;
    for (int i = 2; i < argc; ++i) {
        const std::string name = argv[i];
        if (name == "--tls") {
            options.tls = true;
            continue;
        }
        if (++i == argc) {
            throw std::invalid_argument(name + " needs a value");
        }
        const double value = std::stod(argv[i]);
        if (name == "--port") {
            options.port = static_cast<int>(value);
        } else if (name == "--connections") {
            options.connections = static_cast<std::size_t>(value);
        } else if (name == "--size") {
            options.size = static_cast<std::size_t>(value);
        } else if (name == "--count") {
            options.count = static_cast<std::size_t>(value);
        } else if (name == "--rate") {
            options.rate = value;
        } else if (name == "--seconds") {
            options.seconds = value;
        } else {
            throw std::invalid_argument("no option is called " + name);
        }
    }
    return options;
}

void run(int argc, char** argv) {
    const std::string mode = argc > 1 ? argv[1] : "";
    if (mode == "backend" && argc == 3) {
        bench::run_backend(std::stoi(argv[2]));
    } else if (mode == "echo") {
        bench::run_echo_load(parse(argc, argv));
    } else if (mode == "open") {
        bench::run_open_load(parse(argc, argv));
    } else {
        throw std::invalid_argument("the first word is backend, echo or open");
    }
}

}  // namespace

int main(int argc, char** argv) {
    try {
        run(argc, argv);
        return 0;
    } catch (const std::exception& failure) {
        std::fprintf(stderr, "wsbench: %s\n", failure.what());
        return 1;
    }
}
