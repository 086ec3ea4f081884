/* err: what the helpers of the tests say of the last call on this thread. */
#ifndef SS_TESTS_ERR_H
#define SS_TESTS_ERR_H

#include "base/error.h"

extern _Thread_local ss_error err;

#endif
