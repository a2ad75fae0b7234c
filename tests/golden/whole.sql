WITH "worth" AS (
  SELECT
    "age in days",
    COALESCE("worth_0", 0) AS "worth_0"
  FROM (
    SELECT
      UNNEST(RANGE(95)) AS "age in days",
      UNNEST(
        CAST('[5000, 4529, 4102, 3715, 3365, 3048, 2760, 2500, 2264, 2051, 1857, 1682, 1524, 1380, 1250, 1132, 1025, 929, 841, 762, 690, 625, 566, 513, 464, 421, 381, 345, 313, 283, 256, 232, 210, 190, 173, 156, 142, 128, 116, 105, 95, 86, 78, 71, 64, 58, 53, 48, 43, 39, 35, 32, 29, 26, 24, 22, 20, 18, 16, 15, 13, 12, 11, 10, 9, 8, 7, 7, 6, 5, 5, 4, 4, 4, 3, 3, 3, 2, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0]' AS INT[])
      ) AS "worth_0"
  ) AS tables
), "aged" AS (
  SELECT
    "activities"."lead",
    "activities"."type",
    CAST('2026-11-01' AS DATE) - CAST(MAKE_TIMESTAMP(
      EPOCH_US("activities"."occurred_at") + CASE
        WHEN "activities"."occurred_at" >= CAST('1985-12-31 18:30:00' AS TIMESTAMP)
        THEN 20700000000
        ELSE 19800000000
      END
    ) AS DATE) AS "age in days"
  FROM "activities"
  WHERE
    "activities"."occurred_at" <= CAST('2026-11-01 12:00:00' AS TIMESTAMP)
), "per_lead" AS (
  SELECT
    "aged"."lead",
    LIST_SUM(MAX(CASE WHEN "aged"."type" = 'visit' THEN "worth"."worth_0" END, 3)) AS "visits"
  FROM "aged"
  JOIN "worth"
    ON "worth"."age in days" = GREATEST(LEAST("aged"."age in days", 94), 0)
  GROUP BY
    "aged"."lead"
), "per_day" AS (
  SELECT
    "aged"."lead",
    "aged"."age in days",
    COUNT(CASE WHEN "aged"."type" = 'visit' THEN 1 END) AS "visit_days"
  FROM "aged"
  GROUP BY
    "aged"."lead",
    "aged"."age in days"
), "per_day_sums" AS (
  SELECT
    "per_day"."lead",
    SUM(LEAST("per_day"."visit_days", 1) * 1000) AS "visit_days"
  FROM "per_day"
  GROUP BY
    "per_day"."lead"
), "profiles" AS (
  SELECT
    "leads"."lead",
    "leads"."stage__folded",
    "leads"."title__words"
  FROM "leads"
), "ruled" AS (
  SELECT
    "profiles"."lead",
    CAST(COALESCE("per_lead"."visits", 0) AS BIGINT) AS "visits",
    CAST(COALESCE("per_day_sums"."visit_days", 0) AS BIGINT) AS "visit_days",
    CAST(CASE WHEN CONTAINS("profiles"."title__words", ' cto ') THEN 1000 ELSE 0 END AS BIGINT) AS "rule",
    COALESCE(NOT COALESCE("profiles"."stage__folded" = 'customer', FALSE), FALSE) AS "in audience"
  FROM "profiles"
  LEFT JOIN "per_lead"
    ON "per_lead"."lead" = "profiles"."lead"
  LEFT JOIN "per_day_sums"
    ON "per_day_sums"."lead" = "profiles"."lead"
), "summed" AS (
  SELECT
    *,
    GREATEST(LEAST("visits" + "visit_days" + "rule", 12000), 0) AS "engagement",
    CAST(0 AS BIGINT) AS "aside"
  FROM "ruled"
), "totalled" AS (
  SELECT
    *,
    SIGN(GREATEST(LEAST("engagement", 20500), 0)) * (
      (
        ABS(GREATEST(LEAST("engagement", 20500), 0)) + 500
      ) // 1000
    ) AS "total"
  FROM "summed"
)
SELECT
  "lead",
  CAST(CASE WHEN "in audience" THEN "total" END AS BIGINT) AS "score",
  CAST(CASE
    WHEN "in audience"
    THEN CASE WHEN "total" >= 10 THEN 'hot' WHEN "total" >= 0 THEN 'cold' END
  END AS TEXT) AS "band",
  CAST(NULL AS TEXT) AS "grade",
  CAST(NULL AS TIMESTAMP) AS "restarted_at",
  CAST(CASE
    WHEN "in audience"
    THEN SIGN("engagement") * (
      (
        ABS("engagement") + 500
      ) // 1000
    )
  END AS BIGINT) AS "engagement",
  CAST(CASE
    WHEN "in audience"
    THEN SIGN("aside") * (
      (
        ABS("aside") + 500
      ) // 1000
    )
  END AS BIGINT) AS "aside",
  "visits",
  "visit_days",
  "rule"
FROM "totalled"
