#include "memory.h"

#include <fstream>
#include <sstream>

namespace {

constexpr std::size_t Kilobyte = 1024;

// The value of a line "Name:   123 kB"; 0 for other lines.
std::size_t Value(const std::string& line, const std::string& name) {
  if (!line.starts_with(name + ":")) return 0;
  return std::stoull(line.substr(name.size() + 1)) * Kilobyte;
}

// Mappings start with "address-address permissions offset device inode path".
bool StartsMapping(const std::string& line) { return line.find('-') < line.find(' '); }

}  // namespace

std::size_t ProportionalBytes() {
  std::ifstream file("/proc/self/smaps_rollup");
  std::size_t bytes = 0;
  for (std::string line; std::getline(file, line);) bytes += Value(line, "Pss");
  return bytes;
}

std::size_t ResidentBytesOf(const std::string& suffix) {
  std::ifstream file("/proc/self/smaps");
  std::size_t bytes = 0;
  bool counts = false;
  for (std::string line; std::getline(file, line);) {
    if (StartsMapping(line)) counts = line.ends_with(suffix);
    if (counts) bytes += Value(line, "Rss");
  }
  return bytes;
}
