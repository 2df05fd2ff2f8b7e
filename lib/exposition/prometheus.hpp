// Statistics for Prometheus: its text format 0.0.4, and OpenMetrics 1.0. Names, types and help are those of
// metrics.def. Pure; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "exposition/status_report.hpp"

namespace wsp {

enum class PrometheusFormat : std::uint8_t { text, openmetrics };

// What a request with this Accept header gets: OpenMetrics where it is named, and not less wanted than plain text.
PrometheusFormat choose_format(std::string_view accept);

std::string_view content_type_of(PrometheusFormat format) noexcept;

// Counters of reasons of refusals and of close codes that are 0 are left out: there are many, and most stay 0.
std::string as_prometheus(const StatusReport& report, PrometheusFormat format);

}  // namespace wsp
