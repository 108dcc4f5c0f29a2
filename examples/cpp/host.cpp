// Runs a compiled model and switches its precision.
//   host MODEL STEP...
// A step is BITS or BITSxRUNS, runs at a precision (0: at the model's own), or =MODEL, which goes on with another file of the same compile.
#include <onnxruntime_cxx_api.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "memory.h"

namespace {

constexpr const char* BitsInput = "nest_bits";

// Where the package has the library, unless the environment names another; empty for models in standard operators.
std::string OperatorLibrary() {
  const char* path = std::getenv("NESTQUANT_OPS");
  return path ? path : NESTQUANT_OPS;
}

class Model {
 public:
  Model(const Ort::Env& env, const std::string& path) : session_(env, path.c_str(), Options()) {
    Ort::AllocatorWithDefaultOptions allocator;
    for (std::size_t i = 0; i < session_.GetInputCount(); i++) {
      std::string name = session_.GetInputNameAllocated(i, allocator).get();
      if (name == BitsInput) continue;
      input_name_ = name;
      shape_ = session_.GetInputTypeInfo(i).GetTensorTypeAndShapeInfo().GetShape();
    }
    output_name_ = session_.GetOutputNameAllocated(0, allocator).get();
    std::size_t count = 1;
    for (int64_t& dimension : shape_) count *= dimension = std::max<int64_t>(dimension, 1);
    input_.assign(count, 0.5f);
  }

  // The index of the largest output. Several threads may run, each at a precision of its own.
  std::size_t Run(int32_t bits) {
    auto memory = Ort::MemoryInfo::CreateCpu(OrtArenaAllocator, OrtMemTypeDefault);
    // nest_bits is a scalar: it has no dimensions.
    std::array<Ort::Value, 2> inputs{
        Ort::Value::CreateTensor(memory, input_.data(), input_.size(), shape_.data(), shape_.size()),
        Ort::Value::CreateTensor(memory, &bits, 1, nullptr, 0)};
    std::array<const char*, 2> input_names{input_name_.c_str(), BitsInput};
    const char* output_name = output_name_.c_str();
    // What is not fed has its default, which is full precision.
    std::size_t fed = bits == 0 ? 1 : 2;
    auto outputs = session_.Run(Ort::RunOptions{}, input_names.data(), inputs.data(), fed, &output_name, 1);
    const float* values = outputs[0].GetTensorData<float>();
    return std::max_element(values, values + outputs[0].GetTensorTypeAndShapeInfo().GetElementCount()) - values;
  }

 private:
  static Ort::SessionOptions Options() {
    Ort::SessionOptions options;
    options.SetIntraOpNumThreads(1);
    if (std::string library = OperatorLibrary(); !library.empty()) options.RegisterCustomOpsLibrary(library.c_str());
    // ONNX Runtime's warning that nest_bits is no constant: it is the switch.
    options.SetLogSeverityLevel(ORT_LOGGING_LEVEL_ERROR);
    return options;
  }

  Ort::Session session_;
  std::string input_name_, output_name_;
  std::vector<int64_t> shape_;
  std::vector<float> input_;
};

double Milliseconds(std::chrono::steady_clock::duration time) { return std::chrono::duration<double, std::milli>(time).count(); }

void Report(const std::string& step, std::chrono::steady_clock::duration time, const std::string& result) {
  constexpr double Megabyte = 1024 * 1024;
  std::printf("%-24s %9.3f ms  PSS %6.1f MiB, low bits %5.2f MiB  %s\n", step.c_str(), Milliseconds(time), ProportionalBytes() / Megabyte,
              ResidentBytesOf(".low.bin") / Megabyte, result.c_str());
}

std::shared_ptr<Model> Open(const Ort::Env& env, const std::string& path) {
  auto start = std::chrono::steady_clock::now();
  auto model = std::make_shared<Model>(env, path);
  Report(path.substr(path.rfind('/') + 1), std::chrono::steady_clock::now() - start, "opened");
  return model;
}

void Run(Model& model, const std::string& step) {
  std::size_t times = step.find('x');
  int32_t bits = std::stoi(step.substr(0, times));
  int runs = times == std::string::npos ? 1 : std::stoi(step.substr(times + 1));
  std::vector<std::chrono::steady_clock::duration> durations;
  std::size_t best = 0;
  for (int run = 0; run < runs; run++) {
    auto start = std::chrono::steady_clock::now();
    best = model.Run(bits);
    durations.push_back(std::chrono::steady_clock::now() - start);
  }
  std::nth_element(durations.begin(), durations.begin() + runs / 2, durations.end());
  Report(step + (bits == 0 ? "" : " bits"), durations[runs / 2], "output " + std::to_string(best));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: host MODEL STEP...\n");
    return 2;
  }
  try {
    Ort::Env env(ORT_LOGGING_LEVEL_WARNING, "host");
    std::shared_ptr<Model> model = Open(env, argv[1]);
    for (int i = 2; i < argc; i++) {
      std::string step = argv[i];
      if (step[0] != '=') {
        Run(*model, step);
        continue;
      }
      // Where other threads run, each holds a copy of the pointer while it does: the old session ends with the last of them. When the
      // new file cannot be used this is an exception, and the old session is still there.
      model = Open(env, step.substr(1));
    }
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  return 0;
}
