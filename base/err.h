/* SPDX-License-Identifier: BSD-3-Clause
 * Results of operations, and the assertion that stays on in release builds. */
#ifndef AGW_BASE_ERR_H
#define AGW_BASE_ERR_H

#define AGW_NODISCARD         __attribute__((warn_unused_result))
#define AGW_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

/** AGW_OK or what went wrong; outputs of a function are valid only with AGW_OK. */
typedef enum agw_err {
    AGW_OK = 0,
    AGW_ERR_MALFORMED = -1,   /* not what it claims to be */
    AGW_ERR_TRUNCATED = -2,   /* ends before it is complete */
    AGW_ERR_NO_SPACE = -3,    /* the caller's buffer or table is too small */
    AGW_ERR_NOT_FOUND = -4,   /* no such thing */
    AGW_ERR_EXISTS = -5,      /* it is there already */
    AGW_ERR_AUTH = -6,        /* authentication failed */
    AGW_ERR_REPLAY = -7,      /* authentic, but seen before or too old */
    AGW_ERR_UNSUPPORTED = -8, /* understood, and not served here */
    AGW_ERR_LIMIT = -9,       /* a configured or resource limit is reached */
    AGW_ERR_SYSTEM = -10,     /* the operating system or a library refused; errno may tell */
    AGW_ERR_STATE = -11,      /* not possible in the present state */
    AGW_ERR_AGAIN = -12,      /* nothing there now */
} agw_err;

/** A short English text, never NULL. */
const char *agw_err_text(agw_err err);

/** Our own broken promise ends the process, in release builds too; foreign input is never asserted.
 */
#define AGW_ASSERT(cond) ((cond) ? (void)0 : agw_assert_failed(#cond, __FILE__, __LINE__))
_Noreturn void agw_assert_failed(const char *cond, const char *file, int line);

#endif
