// SPDX-License-Identifier: Apache-2.0
#include "plugins/collectd/names.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

static struct reading reading(const char *plugin, const char *plugin_instance, const char *type,
                              const char *type_instance, const char *source, bool counts)
{
    return (struct reading){.host = "box7",
                            .plugin = plugin,
                            .plugin_instance = plugin_instance,
                            .type = type,
                            .type_instance = type_instance,
                            .source = source,
                            .counts = counts};
}

static void assert_name(const struct reading *r, const char *expected)
{
    struct series_name name;
    char text[2048];
    series_name_make(r, &name);
    int at = snprintf(text, sizeof text, "%s{", name.metric);
    for (uint32_t i = 0; i < name.label_count; i++)
        at += snprintf(text + at, sizeof text - (size_t)at, "%s%s=%s", i ? "," : "",
                       name.labels[i].name, name.labels[i].value);
    snprintf(text + at, sizeof text - (size_t)at, "}");
    assert_string_equal(text, expected);
}

/* The table of docs/collectd.md. */
static void stock_plugins_have_the_names_that_the_page_says(void **state)
{
    static const struct {
        const char *plugin, *plugin_instance, *type, *type_instance, *source;
        bool counts;
        const char *expected;
    } all[] = {
        {"cpu", "0", "cpu", "user", "value", true, "collectd_cpu_total{host=box7,cpu=0,type=user}"},
        {"memory", "", "memory", "free", "value", false, "collectd_memory{host=box7,memory=free}"},
        {"load", "", "load", "", "shortterm", false, "collectd_load_shortterm{host=box7}"},
        {"df", "root", "df_complex", "used", "value", false,
         "collectd_df_df_complex{host=box7,df=root,type=used}"},
        {"disk", "sda", "disk_octets", "", "read", true,
         "collectd_disk_disk_octets_read_total{host=box7,disk=sda}"},
        {"interface", "eth0", "if_octets", "", "rx", true,
         "collectd_interface_if_octets_rx_total{host=box7,interface=eth0}"},
        {"processes", "", "ps_state", "running", "value", false,
         "collectd_processes_ps_state{host=box7,processes=running}"},
        {"processes", "nginx", "ps_count", "", "threads", false,
         "collectd_processes_ps_count_threads{host=box7,processes=nginx}"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        struct reading r = reading(all[i].plugin, all[i].plugin_instance, all[i].type,
                                   all[i].type_instance, all[i].source, all[i].counts);
        assert_name(&r, all[i].expected);
    }
}

static void what_no_name_may_have_becomes_an_underscore(void **state)
{
    (void)state;
    struct reading r = reading("my-app.é", "a/b \"c\"", "x y", "t-1", "v:w", true);
    assert_name(&r, "collectd_my_app____x_y_v_w_total{host=box7,my_app___=a/b \"c\",type=t-1}");
}

static void a_plugin_does_not_take_the_place_of_another_label(void **state)
{
    (void)state;
    struct reading r = reading("type", "a", "gauge", "b", "value", false);
    assert_name(&r, "collectd_type_gauge{host=box7,plugin_type=a,type=b}");
    r.plugin = "host";
    assert_name(&r, "collectd_host_gauge{host=box7,plugin_host=a,type=b}");
    r.plugin = "9p";
    assert_name(&r, "collectd_9p_gauge{host=box7,plugin_9p=a,type=b}");
    r.plugin = "meta_x";
    assert_name(&r, "collectd_meta_x_gauge{host=box7,plugin_meta_x=a,type=b}");
}

static void meta_data_are_labels(void **state)
{
    (void)state;
    struct reading r = reading("virt", "vm1", "memory", "", "value", false);
    r.meta_count = 2;
    r.meta[0].key = "network:username";
    r.meta[0].value = "ada";
    r.meta[1].key = "empty";
    r.meta[1].value = "";
    assert_name(&r, "collectd_virt_memory{host=box7,virt=vm1,meta_network_username=ada}");
}

static void names_of_any_length_stay_within_their_bounds(void **state)
{
    char text[128];
    struct series_name name;
    (void)state;
    memset(text, 'p', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    struct reading r = reading(text, text, text + 1, text, text, true);
    r.meta_count = READING_META_MAX;
    for (int i = 0; i < READING_META_MAX; i++)
        r.meta[i].key = r.meta[i].value = text;
    series_name_make(&r, &name);
    assert_int_equal(name.label_count, NAME_LABELS_MAX);
    assert_int_equal(strlen(name.metric), 9 + 127 + 1 + 126 + 1 + 127 + 6);
    assert_int_equal(strlen(name.labels[3].name), 5 + 127);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stock_plugins_have_the_names_that_the_page_says),
        cmocka_unit_test(what_no_name_may_have_becomes_an_underscore),
        cmocka_unit_test(a_plugin_does_not_take_the_place_of_another_label),
        cmocka_unit_test(meta_data_are_labels),
        cmocka_unit_test(names_of_any_length_stay_within_their_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
