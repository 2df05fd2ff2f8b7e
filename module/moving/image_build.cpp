// Finds the build id among the ELF notes of the module in memory, and hashes it.
#include "moving/image_build.hpp"

#include <link.h>

#include <cstddef>

#include "base/fnv1a.hpp"
#include "tunnel/serving_page.hpp"

// The beginning of this module in memory, which the linker knows.
extern "C" const unsigned char __ehdr_start[]  // NOLINT(bugprone-reserved-identifier)
    __attribute__((visibility("hidden")));

namespace wsp {
namespace {

std::size_t aligned(std::size_t size) {
    return (size + 3) & ~std::size_t{3};
}

std::uint64_t hash_of(const unsigned char* bytes, std::size_t size) {
    const std::uint64_t hash = Fnv1a().text({reinterpret_cast<const char*>(bytes), size}).value();
    return hash == 0 || hash == ServingPage::kUnknown ? 1 : hash;
}

// 0: it is not among these.
std::uint64_t build_in(const unsigned char* notes, std::size_t size) {
    const unsigned char* const end = notes + size;
    while (notes + sizeof(ElfW(Nhdr)) <= end) {
        const auto& note = *reinterpret_cast<const ElfW(Nhdr)*>(notes);
        const unsigned char* const content = notes + sizeof note + aligned(note.n_namesz);
        if (note.n_type == NT_GNU_BUILD_ID) {
            return hash_of(content, note.n_descsz);
        }
        notes = content + aligned(note.n_descsz);
    }
    return 0;
}

std::uint64_t build_of_module() {
    const auto& header = *reinterpret_cast<const ElfW(Ehdr)*>(__ehdr_start);
    const auto* const parts = reinterpret_cast<const ElfW(Phdr)*>(__ehdr_start + header.e_phoff);
    std::uint64_t build = 0;
    for (int i = 0; i < header.e_phnum && build == 0; ++i) {
        if (parts[i].p_type == PT_NOTE) {
            build = build_in(__ehdr_start + parts[i].p_vaddr, parts[i].p_memsz);
        }
    }
    return build;
}

}  // namespace

std::uint64_t image_build() {
    static const std::uint64_t build = build_of_module();
    return build;
}

}  // namespace wsp
