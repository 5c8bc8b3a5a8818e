// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "maia/base/result.h"
#include "maia/types/schema.h"

namespace maia::kafka {

/// A column's name as the schemas of a registry have names: letters, digits and underscores, no digit first.
std::string field_name(std::string_view column);

/// A topic as the name space of its schemas: such names with dots between.
std::string name_space(const std::string& topic);

/// Code::invalid_config where two columns would have one name.
Status verify_field_names(const TableSchema& schema);

}  // namespace maia::kafka
