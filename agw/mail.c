/* SPDX-License-Identifier: BSD-3-Clause */
#include "agw/mail.h"

#include "codecs/audio.h"

#include <stdlib.h>
#include <string.h>

agw_mail *agw_mail_new(agw_mail_kind kind, const void *data, size_t len)
{
    agw_mail *mail = calloc(1, sizeof *mail + len);
    AGW_ASSERT(mail != NULL);
    mail->kind = kind;
    mail->len = len;
    if (data != NULL)
        memcpy(mail->data, data, len);
    return mail;
}

void agw_mail_free(agw_mail *mail)
{
    if (mail == NULL)
        return;
    agw_plan_free(mail->plan);
    free(mail->resources);
    free(mail->stats);
    if (mail->context != NULL)
        agw_dtls_ctx_unref(mail->context);
    if (mail->result != NULL)
        agw_dtls_result_wipe(mail->result);
    free(mail->result);
    agw_audio_unref(mail->play.audio);
    if (mail->kind == AGW_MAIL_DTLS_START)
        free(mail->assoc); /* never delivered: the other messages only name it */
    free(mail);
}

static bool push_waiting(agw_outbox *box)
{
    while (box->first != NULL) {
        agw_mail *mail = box->first;
        agw_mail *next = mail->next; /* once pushed, mail is the receiver's */
        if (!agw_ring_push(box->ring, mail))
            return false;
        box->posted = true;
        box->first = next;
    }
    box->last = NULL;
    return true;
}

void agw_outbox_post(agw_outbox *box, agw_mail *mail)
{
    if (push_waiting(box) && agw_ring_push(box->ring, mail)) {
        box->posted = true;
        return;
    }
    mail->next = NULL;
    if (box->last != NULL)
        box->last->next = mail;
    else
        box->first = mail;
    box->last = mail;
}

bool agw_outbox_flush(agw_outbox *box)
{
    const bool empty = push_waiting(box);
    if (box->posted || !empty)
        box->wake(box->owner);
    box->posted = false;
    return empty;
}

void agw_outbox_fini(agw_outbox *box)
{
    for (agw_mail *next; box->first != NULL; box->first = next) {
        next = box->first->next;
        agw_mail_free(box->first);
    }
    box->last = NULL;
}
