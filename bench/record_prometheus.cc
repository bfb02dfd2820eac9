// SPDX-License-Identifier: Apache-2.0
/* The peer of bench_record_stats: prometheus-cpp, which counts in shared atomics and guards its
 * histograms with a mutex. Its handles are bound once, too. */
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <pthread.h>
#include <random>
#include <sched.h>
#include <thread>
#include <vector>

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

namespace
{

constexpr int runs = 201, updates = 10000;

template <class Update> double median(Update update)
{
    std::vector<double> results;
    for (int run = 0; run <= runs; run++) {
        auto start = std::chrono::steady_clock::now();
        for (int i = 0; i < updates; i++)
            update(i);
        std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - start;
        if (run > 0)
            results.push_back(took.count() / updates);
    }
    std::nth_element(results.begin(), results.begin() + runs / 2, results.end());
    return results[runs / 2];
}

/* As far as it goes. */
void move_to(int processor)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(processor, &set);
    pthread_setaffinity_np(pthread_self(), sizeof set, &set);
}

template <class Update> void row(const char *what, Update update)
{
    double one = median(update), two[2];
    std::atomic<int> ready{0};
    auto beside = [&](int i) {
        move_to(i);
        for (ready++; ready < 2;)
            ;
        two[i] = median(update);
    };
    std::thread a(beside, 0), b(beside, 1);
    a.join();
    b.join();
    std::printf("%-44s %7.1f ns  %7.1f ns\n", what, one, (two[0] + two[1]) / 2);
}

} // namespace

int main()
{
    prometheus::Registry registry;
    auto &counter = prometheus::BuildCounter()
                        .Name("requests_total")
                        .Register(registry)
                        .Add({{"route", "/dashboard"}});
    auto &gauge = prometheus::BuildGauge().Name("queue_length").Register(registry).Add({});
    prometheus::Histogram::BucketBoundaries bounds;
    for (int i = 0; i < 64; i++)
        bounds.push_back(0.1 * std::pow(1.25, i));
    auto &histogram = prometheus::BuildHistogram()
                          .Name("latency_ms")
                          .Register(registry)
                          .Add({{"route", "/dashboard"}}, bounds);
    std::mt19937_64 random(1);
    std::lognormal_distribution<double> latency(std::log(20), 1);
    std::vector<double> values(1024);
    for (double &value : values)
        value = latency(random);

    row("prometheus-cpp: Counter::Increment", [&](int) { counter.Increment(); });
    row("prometheus-cpp: Gauge::Set", [&](int i) { gauge.Set(i); });
    row("prometheus-cpp: Histogram::Observe, 64 buckets",
        [&](int i) { histogram.Observe(values[static_cast<size_t>(i) % values.size()]); });
}
