/* The command `dotnet` for arm64, which is in no package: it loads the host library beside it and leaves the rest to it. */
#include <dlfcn.h>
#include <stdio.h>

int main(int argc, const char** argv) {
  void* library = dlopen(HOSTFXR, RTLD_NOW);
  int (*run)(int, const char**) = library ? (int (*)(int, const char**))dlsym(library, "hostfxr_main") : NULL;
  if (!run) {
    fprintf(stderr, "%s\n", dlerror());
    return 1;
  }
  return run(argc, argv);
}
