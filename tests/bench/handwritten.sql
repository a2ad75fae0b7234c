-- The scorecard of card.py as a DuckDB expert would write it for this one card and these two years of data:
-- floating-point decay, the zone's offsets of these two years by hand, max(x, K) for the newest K.
WITH aged AS (
    SELECT
        lead,
        type,
        asset__folded,
        DATE '2026-11-01' - make_timestamp(
            epoch_us(occurred_at)
            + CASE
                WHEN occurred_at >= TIMESTAMP '2026-10-25 01:00:00' THEN 3600000000
                WHEN occurred_at >= TIMESTAMP '2026-03-29 01:00:00' THEN 7200000000
                WHEN occurred_at >= TIMESTAMP '2025-10-26 01:00:00' THEN 3600000000
                WHEN occurred_at >= TIMESTAMP '2025-03-30 01:00:00' THEN 7200000000
                ELSE 3600000000
            END
        )::DATE AS age
    FROM activities
    WHERE occurred_at <= TIMESTAMP '2026-11-01 12:00:00'
),
engaged AS (
    SELECT
        lead,
        list_sum(max(CASE WHEN type = 'type_00' AND starts_with(asset__folded, '/section0/') THEN round(1000 * pow(0.5, age / 7))::INT END, 3)) AS activity_00,
        list_sum(max(CASE WHEN type = 'type_01' THEN round(1250 * pow(0.5, age / 14))::INT END, 4)) AS activity_01,
        list_sum(max(CASE WHEN type = 'type_02' THEN round(1500 * pow(0.5, age / 21))::INT END, 5)) AS activity_02,
        list_sum(max(CASE WHEN type = 'type_03' AND starts_with(asset__folded, '/section3/') THEN round(1750 * pow(0.5, age / 30))::INT END, 6)) AS activity_03,
        list_sum(max(CASE WHEN type = 'type_04' THEN round(2000 * greatest(0, 1 - age / 50))::INT END, 8)) AS activity_04,
        list_sum(max(CASE WHEN type = 'type_05' THEN round(2250 * pow(0.5, age / 60))::INT END, 10)) AS activity_05,
        list_sum(max(CASE WHEN type = 'type_06' AND starts_with(asset__folded, '/section6/') THEN round(2500 * pow(0.5, age / 90))::INT END, 3)) AS activity_06,
        list_sum(max(CASE WHEN type = 'type_07' THEN round(2750 * pow(0.5, age / 7))::INT END, 4)) AS activity_07,
        list_sum(max(CASE WHEN type = 'type_08' THEN round(3000 * pow(0.5, age / 14))::INT END, 5)) AS activity_08,
        list_sum(max(CASE WHEN type = 'type_09' AND starts_with(asset__folded, '/section9/') THEN round(3250 * greatest(0, 1 - age / 75))::INT END, 6)) AS activity_09,
        list_sum(max(CASE WHEN type = 'type_10' THEN round(3500 * pow(0.5, age / 30))::INT END, 8)) AS activity_10,
        list_sum(max(CASE WHEN type = 'type_11' THEN round(3750 * pow(0.5, age / 45))::INT END, 10)) AS activity_11,
        list_sum(max(CASE WHEN type = 'type_00' AND starts_with(asset__folded, '/section12/') THEN round(4000 * pow(0.5, age / 60))::INT END, 3)) AS activity_12,
        list_sum(max(CASE WHEN type = 'type_01' THEN round(4250 * pow(0.5, age / 90))::INT END, 4)) AS activity_13,
        list_sum(max(CASE WHEN type = 'type_02' THEN round(4500 * greatest(0, 1 - age / 100))::INT END, 5)) AS activity_14,
        list_sum(max(CASE WHEN type = 'type_03' AND starts_with(asset__folded, '/section15/') THEN round(4750 * pow(0.5, age / 14))::INT END, 6)) AS activity_15,
        list_sum(max(CASE WHEN type = 'type_04' THEN round(5000 * pow(0.5, age / 21))::INT END, 8)) AS activity_16,
        list_sum(max(CASE WHEN type = 'type_05' THEN round(5250 * pow(0.5, age / 30))::INT END, 10)) AS activity_17,
        list_sum(max(CASE WHEN type = 'type_06' AND starts_with(asset__folded, '/section18/') THEN round(5500 * pow(0.5, age / 45))::INT END, 3)) AS activity_18,
        list_sum(max(CASE WHEN type = 'type_07' THEN round(5750 * greatest(0, 1 - age / 125))::INT END, 4)) AS activity_19
    FROM aged
    GROUP BY lead
),
points AS (
    SELECT
        leads.lead,
        coalesce(activity_00, 0)::BIGINT AS activity_00,
        coalesce(activity_01, 0)::BIGINT AS activity_01,
        coalesce(activity_02, 0)::BIGINT AS activity_02,
        coalesce(activity_03, 0)::BIGINT AS activity_03,
        coalesce(activity_04, 0)::BIGINT AS activity_04,
        coalesce(activity_05, 0)::BIGINT AS activity_05,
        coalesce(activity_06, 0)::BIGINT AS activity_06,
        coalesce(activity_07, 0)::BIGINT AS activity_07,
        coalesce(activity_08, 0)::BIGINT AS activity_08,
        coalesce(activity_09, 0)::BIGINT AS activity_09,
        coalesce(activity_10, 0)::BIGINT AS activity_10,
        coalesce(activity_11, 0)::BIGINT AS activity_11,
        coalesce(activity_12, 0)::BIGINT AS activity_12,
        coalesce(activity_13, 0)::BIGINT AS activity_13,
        coalesce(activity_14, 0)::BIGINT AS activity_14,
        coalesce(activity_15, 0)::BIGINT AS activity_15,
        coalesce(activity_16, 0)::BIGINT AS activity_16,
        coalesce(activity_17, 0)::BIGINT AS activity_17,
        coalesce(activity_18, 0)::BIGINT AS activity_18,
        coalesce(activity_19, 0)::BIGINT AS activity_19,
        CASE WHEN contains(job_title__words, ' cto ') THEN 30000 ELSE 0 END::BIGINT AS attribute_0,
        CASE
            WHEN contains(job_title__words, ' vp ') OR contains(job_title__words, ' head of ') THEN 20000 ELSE 0
        END::BIGINT AS attribute_1,
        CASE WHEN contains(job_title__words, ' student ') THEN -20000 ELSE 0 END::BIGINT AS attribute_2,
        CASE WHEN job_title__text IS NULL OR job_title__text = '' THEN -5000 ELSE 0 END::BIGINT AS attribute_3,
        CASE WHEN country__folded IN ('germany', 'france') THEN 10000 ELSE 0 END::BIGINT AS attribute_4,
        CASE WHEN contains(country__folded, 'united') THEN 5000 ELSE 0 END::BIGINT AS attribute_5,
        CASE WHEN employees__number >= 1000 THEN 15000 ELSE 0 END::BIGINT AS attribute_6,
        CASE WHEN employees__number BETWEEN 50 AND 999 THEN 10000 ELSE 0 END::BIGINT AS attribute_7,
        CASE WHEN employees__number < 5 THEN -10000 ELSE 0 END::BIGINT AS attribute_8,
        CASE WHEN opted_out__flag THEN -25000 ELSE 0 END::BIGINT AS attribute_9
    FROM leads
    LEFT JOIN engaged USING (lead)
),
sums AS (
    SELECT
        *,
        greatest(0, least(120000, activity_00
            + activity_01
            + activity_02
            + activity_03
            + activity_04
            + activity_05
            + activity_06
            + activity_07
            + activity_08
            + activity_09
            + activity_10
            + activity_11
            + activity_12
            + activity_13
            + activity_14
            + activity_15
            + activity_16
            + activity_17
            + activity_18
            + activity_19)) AS engaging,
        greatest(-40000, least(80000, attribute_0
            + attribute_1
            + attribute_2
            + attribute_3
            + attribute_4
            + attribute_5
            + attribute_6
            + attribute_7
            + attribute_8
            + attribute_9)) AS fitting
    FROM points
),
scores AS (
    SELECT
        *,
        round(greatest(0, least(200000, engaging + fitting)) / 1000)::BIGINT AS score
    FROM sums
)
SELECT
    lead,
    score,
    CASE WHEN score >= 120 THEN 'A' WHEN score >= 80 THEN 'B' WHEN score >= 40 THEN 'C' WHEN score >= 0 THEN 'D' END AS band,
    NULL::VARCHAR AS grade,
    NULL::TIMESTAMP AS restarted_at,
    round(engaging / 1000)::BIGINT AS engagement,
    round(fitting / 1000)::BIGINT AS fit,
    activity_00,
    activity_01,
    activity_02,
    activity_03,
    activity_04,
    activity_05,
    activity_06,
    activity_07,
    activity_08,
    activity_09,
    activity_10,
    activity_11,
    activity_12,
    activity_13,
    activity_14,
    activity_15,
    activity_16,
    activity_17,
    activity_18,
    activity_19,
    attribute_0,
    attribute_1,
    attribute_2,
    attribute_3,
    attribute_4,
    attribute_5,
    attribute_6,
    attribute_7,
    attribute_8,
    attribute_9
FROM scores
