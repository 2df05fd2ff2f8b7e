// Preloaded into httpd by tests: lets the nth thing that needs memory fail, where the module under test is who asks.
// Asked for by httpd or another module, everything is as ever: httpd ends a process that has no memory, by its own
// decision (server/main.c abort_on_oom), and that would be all that a test sees.
//
// What counts, in children of httpd only, each with the next number:
//   - operator new, called by the module or by libstdc++, which nobody else in these servers uses
//   - malloc and realloc of OpenSSL, where it was the module that called OpenSSL: BIO_new in SSL_set_fd, buffers of
//     SSL_write and SSL_read, the random generator of a thread, the digest of a handshake
//   - SSL_write and SSL_read, pthread_create, epoll_ctl, pipe2, eventfd, called by the module
//
// The test has the other end of the page that says which numbers fail: harness/faults.py.
#include <dlfcn.h>
#include <execinfo.h>
#include <fcntl.h>
#include <link.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>

namespace {

// As harness/faults.py writes and reads it.
struct Page {
    std::atomic<std::uint64_t> is_armed;
    std::atomic<std::uint64_t> seen;    // what has counted since it was armed
    std::atomic<std::uint64_t> failed;  // of these
    std::uint64_t first;                // the numbers that fail, counted from 1
    std::uint64_t last;
    std::atomic<std::uint64_t> asked_at;  // by the last that failed: its place in the module's file
    char module[256];                     // the path of the module's file
};

Page* page = nullptr;
pid_t parent = 0;

// Where the code of a library is. It is found once per process: children of httpd have loaded everything.
struct Library {
    const char* path;
    std::atomic<std::uintptr_t> base{0}, begin{0}, end{0};
    std::atomic<pid_t> found_by{0};

    bool holds(const void* address) {
        if (found_by.load() != ::getpid()) {
            find();
        }
        const auto at = reinterpret_cast<std::uintptr_t>(address);
        return begin.load() <= at && at < end.load();
    }

    void find() {
        dl_iterate_phdr(
            [](dl_phdr_info* info, std::size_t, void* context) {
                auto& self = *static_cast<Library*>(context);
                if (std::strstr(info->dlpi_name, self.path) == nullptr) {
                    return 0;
                }
                for (int i = 0; i < info->dlpi_phnum; ++i) {
                    const auto& header = info->dlpi_phdr[i];
                    if (header.p_type == PT_LOAD && (header.p_flags & PF_X) != 0) {
                        self.base = info->dlpi_addr;
                        self.begin = info->dlpi_addr + header.p_vaddr;
                        self.end = self.begin + header.p_memsz;
                    }
                }
                return 1;
            },
            this);
        found_by = ::getpid();
    }
};

Library the_module{""}, libstdcxx{"libstdc++.so"}, libssl{"libssl.so"}, libcrypto{"libcrypto.so"},
    self{"wsp_faults.so"};

bool is_armed() {
    return page != nullptr && page->is_armed.load() != 0 && ::getpid() != parent;
}

// Gives what happens now the next number. True: it is to fail.
bool count(const void* asked_by) {
    const std::uint64_t number = page->seen.fetch_add(1) + 1;
    if (number < page->first || number > page->last) {
        return false;
    }
    page->failed.fetch_add(1);
    page->asked_at = reinterpret_cast<std::uintptr_t>(asked_by) - the_module.base;
    return true;
}

// The caller is the module.
bool fails_for_module(const void* caller) {
    return is_armed() && the_module.holds(caller) && count(caller);
}

// The nearest caller outside of OpenSSL is the module.
bool fails_below_openssl() {
    if (!is_armed()) {
        return false;
    }
    static thread_local bool inside = false;  // backtrace() may want memory itself
    if (inside) {
        return false;
    }
    inside = true;
    void* frames[64];
    const int depth = ::backtrace(frames, 64);
    inside = false;
    for (int i = 0; i < depth; ++i) {
        if (!self.holds(frames[i]) && !libssl.holds(frames[i]) && !libcrypto.holds(frames[i])) {
            return the_module.holds(frames[i]) && count(frames[i]);
        }
    }
    return false;
}

// What would be called without this library.
template <class Function>
Function next(const char* name) {
    return reinterpret_cast<Function>(::dlsym(RTLD_NEXT, name));
}

thread_local int inside_new = 0;  // the library's own operator new may call another one

void* allocate(const char* name, std::size_t size, const void* caller) {
    if (inside_new == 0 && is_armed() && (the_module.holds(caller) || libstdcxx.holds(caller)) &&
        count(caller)) {
        throw std::bad_alloc();
    }
    ++inside_new;
    void* const memory = next<void* (*)(std::size_t)>(name)(size);
    --inside_new;
    return memory;
}

void* allocate_or_null(const char* name, std::size_t size, const void* caller) {
    if (inside_new == 0 && fails_for_module(caller)) {
        return nullptr;
    }
    ++inside_new;
    void* const memory =
        next<void* (*)(std::size_t, const std::nothrow_t&)>(name)(size, std::nothrow);
    --inside_new;
    return memory;
}

extern "C" {

void* openssl_malloc(std::size_t size, const char*, int) {
    return fails_below_openssl() ? nullptr : std::malloc(size);
}

void* openssl_realloc(void* memory, std::size_t size, const char*, int) {
    return fails_below_openssl() ? nullptr : std::realloc(memory, size);
}

void openssl_free(void* memory, const char*, int) {
    std::free(memory);
}

__attribute__((constructor)) void map_page() {
    const int fd = ::open(std::getenv("WSP_FAULTS"), O_RDWR | O_CLOEXEC);
    void* const mapped = ::mmap(nullptr, sizeof(Page), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (fd < 0 || mapped == MAP_FAILED ||
        CRYPTO_set_mem_functions(openssl_malloc, openssl_realloc, openssl_free) != 1) {
        std::abort();
    }
    ::close(fd);
    page = static_cast<Page*>(mapped);
    the_module.path = page->module;
    parent = ::getpid();
    void* frame;
    ::backtrace(&frame, 1);  // loads what it needs
}

}  // extern "C"

}  // namespace

void* operator new(std::size_t size) {
    return allocate("_Znwm", size, __builtin_return_address(0));
}
void* operator new[](std::size_t size) {
    return allocate("_Znam", size, __builtin_return_address(0));
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
    return allocate_or_null("_ZnwmRKSt9nothrow_t", size, __builtin_return_address(0));
}
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept {
    return allocate_or_null("_ZnamRKSt9nothrow_t", size, __builtin_return_address(0));
}

extern "C" {

int SSL_write(SSL* ssl, const void* from, int size) {
    if (fails_for_module(__builtin_return_address(0))) {
        ERR_raise(ERR_LIB_SSL, ERR_R_MALLOC_FAILURE);
        return -1;
    }
    return next<decltype(&SSL_write)>("SSL_write")(ssl, from, size);
}

int SSL_read(SSL* ssl, void* to, int room) {
    if (fails_for_module(__builtin_return_address(0))) {
        ERR_raise(ERR_LIB_SSL, ERR_R_MALLOC_FAILURE);
        return -1;
    }
    return next<decltype(&SSL_read)>("SSL_read")(ssl, to, room);
}

int pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*body)(void*),
                   void* context) {
    if (fails_for_module(__builtin_return_address(0))) {
        return EAGAIN;
    }
    return next<decltype(&pthread_create)>("pthread_create")(thread, attributes, body, context);
}

int epoll_ctl(int epoll, int operation, int fd, epoll_event* event) noexcept {
    if (operation != EPOLL_CTL_DEL && fails_for_module(__builtin_return_address(0))) {
        errno = ENOMEM;
        return -1;
    }
    return next<decltype(&epoll_ctl)>("epoll_ctl")(epoll, operation, fd, event);
}

int pipe2(int* ends, int flags) noexcept {
    if (fails_for_module(__builtin_return_address(0))) {
        errno = ENFILE;
        return -1;
    }
    return next<decltype(&pipe2)>("pipe2")(ends, flags);
}

int eventfd(unsigned int initial, int flags) noexcept {
    if (fails_for_module(__builtin_return_address(0))) {
        errno = ENFILE;
        return -1;
    }
    return next<decltype(&eventfd)>("eventfd")(initial, flags);
}

}  // extern "C"
