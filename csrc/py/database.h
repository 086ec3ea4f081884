/* py/database: the SmartShopieDB type, the face of the package.
 *
 * Its object is in py/handle.h; the methods of the tables come from py/methods.
 */
#ifndef SS_PY_DATABASE_H
#define SS_PY_DATABASE_H

#include "py/handle.h"

#endif
