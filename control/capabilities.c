/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/capabilities.h"

#include "codecs/codec.h"
#include "control/sdp.h"
#include "srtp/suite.h"

static void add_address(agw_doc *out, const char *key, const agw_addr *addr)
{
    char text[AGW_ADDR_TEXT];
    if (agw_addr_is_set(addr))
        agw_doc_set_str(out, key, agw_addr_ip_text(addr, text, sizeof text));
}

static void add_interfaces(agw_doc *out, const agw_config *config)
{
    agw_doc *list = agw_doc_set(out, "interfaces", agw_doc_new_list());
    for (size_t i = 0; i < config->gateway.n_interfaces; i++) {
        const agw_interface *in = &config->gateway.interfaces[i];
        agw_doc *one = agw_doc_add(list, agw_doc_new_dict());
        agw_doc_set_str(one, "name", in->name);
        agw_doc_set_str(one, "profile", agw_realm_profile_text(config->profiles[i]));
        add_address(one, "IPv4", &in->advertised4);
        add_address(one, "IPv6", &in->advertised6);
    }
}

static void add_transport_protocols(agw_doc *out)
{
    agw_doc *list = agw_doc_set(out, "transport protocols", agw_doc_new_list());
    for (agw_sdp_proto p = AGW_SDP_RTP_AVP; p <= AGW_SDP_TLS_SAVPF; p++)
        agw_doc_add_str(list, agw_sdp_proto_text(p));
}

static void add_suites(agw_doc *out)
{
    agw_doc *sdes = agw_doc_set(out, "SDES suites", agw_doc_new_list());
    agw_doc *dtls = agw_doc_set(out, "DTLS-SRTP profiles", agw_doc_new_list());
    for (int i = AGW_SRTP_NONE + 1; i < AGW_SRTP_SUITES; i++) {
        const agw_srtp_suite_info *info = agw_srtp_suite_get((agw_srtp_suite)i);
        if (info->sdes != NULL)
            agw_doc_add_str(sdes, info->sdes);
        if (info->use_srtp != NULL)
            agw_doc_add_str(dtls, info->use_srtp);
    }
}

static void add_codecs(agw_doc *out, const agw_config *config)
{
    agw_doc *list = agw_doc_set(out, "transcoded codecs", agw_doc_new_list());
    for (int id = AGW_CODEC_NONE + 1; id < AGW_CODEC_COUNT; id++) {
        if ((config->transcode >> id & 1) != 0)
            agw_doc_add_str(list, agw_codec_info_of((agw_codec_id)id)->name);
    }
}

void agw_capabilities_describe(agw_doc *out, const agw_config *config, const char *const *commands,
                               size_t n_commands)
{
    agw_doc *list = agw_doc_set(out, "commands", agw_doc_new_list());
    for (size_t i = 0; i < n_commands; i++)
        agw_doc_add_str(list, commands[i]);
    add_interfaces(out, config);
    add_transport_protocols(out);
    add_suites(out);
    agw_doc_set_str(out, "ICE", config->ice == AGW_ICE_MODE_LITE ? "lite" : "full");
    agw_doc *media = agw_doc_set(out, "media", agw_doc_new_list());
    agw_doc_add_str(media, "audio");
    agw_doc_add_str(media, "video");
    add_codecs(out, config);
}
