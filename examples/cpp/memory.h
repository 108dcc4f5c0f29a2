// Memory of this process, as Linux counts it.
#pragma once

#include <cstddef>
#include <string>

// Bytes that are this process's own, and its share of what others use too.
std::size_t ProportionalBytes();

// Bytes in memory of mapped files whose names end like this.
std::size_t ResidentBytesOf(const std::string& suffix);
