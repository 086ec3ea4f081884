/* err: see err.h. */
#include "err.h"

_Thread_local ss_error err;
