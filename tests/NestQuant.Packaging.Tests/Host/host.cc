// A host in another language, on a model without inputs.
//   host WAY ONNXRUNTIME_LIBRARY OPERATOR_LIBRARY MODEL
// WAY is one of
//   run       prints the bits of the output, and then does it again twice
//   closing   the same in the order of calls of ONNX Runtime's Python and Java packages, closing the library before the run
//   loads     registers before there is an environment, then loads and releases everything 200 times, and prints by how many KiB the
//             process has grown since the 50th
//   together  creates the first session of the process in four threads at the same time
#define ORT_API_MANUAL_INIT
#include <onnxruntime_cxx_api.h>
#include <nestquant_ops.h>

#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <dlfcn.h>
#include <string>
#include <thread>
#include <vector>

static void Print(const Ort::Value& output) {
  const float* values = output.GetTensorData<float>();
  size_t count = output.GetTensorTypeAndShapeInfo().GetElementCount();
  for (size_t i = 0; i < count; i++) {
    uint32_t bits;
    std::memcpy(&bits, values + i, sizeof(bits));
    std::printf("%08x\n", bits);
  }
}

static Ort::Value Run(Ort::Session& session) {
  const char* output_name = "Y";
  return std::move(session.Run(Ort::RunOptions{}, nullptr, nullptr, 0, &output_name, 1)[0]);
}

static Ort::Value LoadAndRun(const char* operators, const char* model) {
  Ort::Env env(ORT_LOGGING_LEVEL_FATAL, "host");
  Ort::SessionOptions options;
  options.SetIntraOpNumThreads(2);
  options.RegisterCustomOpsLibrary(operators);
  Ort::Session session(env, model, options);
  return Run(session);
}

static Ort::Value RunClosed(const char* operators, const char* model) {
  Ort::Env env(ORT_LOGGING_LEVEL_FATAL, "host");
  void* library = nullptr;
  Ort::Session session(nullptr);
  {
    Ort::SessionOptions options;
    Ort::ThrowOnError(Ort::GetApi().RegisterCustomOpsLibrary(options, operators, &library));
    session = Ort::Session(env, model, options);
  }
  dlclose(library);
  return Run(session);
}

static long ResidentKilobytes() {
  long kilobytes = 0;
  char line[256];
  FILE* file = std::fopen("/proc/self/status", "r");
  while (std::fgets(line, sizeof(line), file)) std::sscanf(line, "VmRSS: %ld", &kilobytes);
  std::fclose(file);
  return kilobytes;
}

static void PrintGrowth(const char* operators, const char* model) {
  {
    Ort::SessionOptions options;
    options.RegisterCustomOpsLibrary(operators);
  }
  long before = 0;
  for (int load = 1; load <= 200; load++) {
    LoadAndRun(operators, model);
    if (load == 50) before = ResidentKilobytes();
  }
  std::printf("%ld\n", ResidentKilobytes() - before);
}

static int CreateTogether(const char* operators, const char* model) {
  constexpr int Threads = 4;
  Ort::Env env(ORT_LOGGING_LEVEL_FATAL, "host");
  std::atomic<int> ready = 0, failed = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < Threads; i++) {
    threads.emplace_back([&] {
      Ort::SessionOptions options;
      options.SetIntraOpNumThreads(1);
      options.RegisterCustomOpsLibrary(operators);
      ready++;
      while (ready < Threads) {
      }
      try {
        Ort::Session session(env, model, options);
      } catch (const std::exception& error) {
        std::fprintf(stderr, "%s\n", error.what());
        failed++;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  return failed;
}

int main(int argc, char** argv) {
  if (argc != 5) return 2;
  std::string way = argv[1];
  const char *operators = argv[3], *model = argv[4];
  void* runtime = dlopen(argv[2], RTLD_NOW | RTLD_LOCAL);
  if (!runtime) {
    std::fprintf(stderr, "%s\n", dlerror());
    return 2;
  }
  auto get_api_base = reinterpret_cast<const OrtApiBase* (*)()>(dlsym(runtime, "OrtGetApiBase"));
  Ort::InitApi(get_api_base()->GetApi(ORT_API_VERSION));
  try {
    if (way == "run") {
      Print(LoadAndRun(operators, model));
      for (int repeat = 0; repeat < 2; repeat++) LoadAndRun(operators, model);
    } else if (way == "closing") {
      Print(RunClosed(operators, model));
    } else if (way == "loads") {
      PrintGrowth(operators, model);
    } else if (way == "together") {
      return CreateTogether(operators, model) == 0 ? 0 : 1;
    } else {
      return 2;
    }
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  return 0;
}
