WITH "aged" AS (
  SELECT
    "activities"."lead",
    "activities"."type",
    CAST('2026-11-01' AS DATE) - CAST("activities"."occurred_at" AS DATE) AS "age in days"
  FROM "activities"
  WHERE
    "activities"."occurred_at" <= CAST('2026-11-01 12:00:00' AS TIMESTAMP)
), "per_lead" AS (
  SELECT
    "aged"."lead",
    COUNT(CASE WHEN "aged"."type" = 'visit' THEN 1 END) AS "rule"
  FROM "aged"
  GROUP BY
    "aged"."lead"
), "profiles" AS (
  SELECT
    "leads"."born",
    "leads"."lead",
    "leads"."stage__folded"
  FROM "leads"
), "ruled" AS (
  SELECT
    "profiles"."lead",
    CAST(COALESCE("per_lead"."rule", 0) * 5000 AS BIGINT) AS "rule",
    COALESCE("profiles"."stage__folded" = 'customer', FALSE) AS "mql__unless",
    COALESCE(NOT "profiles"."born" IS NULL, FALSE) AS "mql__already_fired",
    COALESCE(TRUE, FALSE) AS "in audience"
  FROM "profiles"
  LEFT JOIN "per_lead"
    ON "per_lead"."lead" = "profiles"."lead"
), "summed" AS (
  SELECT
    *,
    "rule" AS "engagement"
  FROM "ruled"
), "totalled" AS (
  SELECT
    *,
    SIGN("engagement") * (
      (
        ABS("engagement") + 500
      ) // 1000
    ) AS "total"
  FROM "summed"
)
SELECT
  "lead",
  CAST(CASE WHEN "in audience" THEN "total" END AS BIGINT) AS "score",
  CAST(CASE WHEN "in audience" THEN NULL END AS TEXT) AS "band",
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
  "rule",
  "mql__unless",
  "mql__already_fired"
FROM "totalled"
