/* check: see check.h. One state for a program and the helpers that are linked to it. */
#include "check.h"

struct check_state check_state;
