/* SPDX-License-Identifier: BSD-3-Clause
 * EVS, coded by a plug-in (codecs/evs_plugin.h); without one it only passes. */
#ifndef AGW_CODECS_EVS_H
#define AGW_CODECS_EVS_H

#include "base/err.h"

/** Loads the plug-in for the rest of the process; call it before there are threads. From then on
 * agw_codec_can_encode(AGW_CODEC_EVS) is true.
 *
 * @return AGW_ERR_NOT_FOUND: no shared object there, or it defines no plug-in; AGW_ERR_UNSUPPORTED:
 *         one of another version */
AGW_NODISCARD agw_err agw_evs_load(const char *path);

#endif
