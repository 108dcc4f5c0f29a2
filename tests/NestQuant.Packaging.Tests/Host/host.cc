// A host in another language: loads ONNX Runtime and the operator library, runs a model without inputs, prints its output's bits,
// and destroys everything, so that the library is unloaded while the process lives on.
//   host ONNXRUNTIME_LIBRARY OPERATOR_LIBRARY MODEL
#define ORT_API_MANUAL_INIT
#include <onnxruntime_cxx_api.h>
#include <nestquant_ops.h>

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <dlfcn.h>

static void RunOnce(const char* operators, const char* model, bool print) {
  Ort::Env env(ORT_LOGGING_LEVEL_FATAL, "host");
  Ort::SessionOptions options;
  options.SetIntraOpNumThreads(2);
  options.RegisterCustomOpsLibrary(operators);
  Ort::Session session(env, model, options);
  const char* output_name = "Y";
  auto outputs = session.Run(Ort::RunOptions{}, nullptr, nullptr, 0, &output_name, 1);
  const float* values = outputs[0].GetTensorData<float>();
  size_t count = outputs[0].GetTensorTypeAndShapeInfo().GetElementCount();
  for (size_t i = 0; print && i < count; i++) {
    uint32_t bits;
    std::memcpy(&bits, values + i, sizeof(bits));
    std::printf("%08x\n", bits);
  }
}

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  void* runtime = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
  if (!runtime) {
    std::fprintf(stderr, "%s\n", dlerror());
    return 2;
  }
  auto get_api_base = reinterpret_cast<const OrtApiBase* (*)()>(dlsym(runtime, "OrtGetApiBase"));
  Ort::InitApi(get_api_base()->GetApi(ORT_API_VERSION));
  try {
    for (int repeat = 0; repeat < 3; repeat++) RunOnce(argv[2], argv[3], repeat == 0);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  return 0;
}
