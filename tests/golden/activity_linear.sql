WITH "worth" AS (
  SELECT
    "age in days",
    COALESCE("worth_0", 0) AS "worth_0"
  FROM (
    SELECT
      UNNEST(RANGE(11)) AS "age in days",
      UNNEST(
        CAST('[-5000, -4500, -4000, -3500, -3000, -2500, -2000, -1500, -1000, -500, 0]' AS INT[])
      ) AS "worth_0"
  ) AS tables
), "aged" AS (
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
    SUM(CASE WHEN "aged"."type" = 'visit' THEN "worth"."worth_0" END) AS "rule"
  FROM "aged"
  JOIN "worth"
    ON "worth"."age in days" = GREATEST(LEAST("aged"."age in days", 10), 0)
  GROUP BY
    "aged"."lead"
), "profiles" AS (
  SELECT
    "leads"."lead"
  FROM "leads"
), "ruled" AS (
  SELECT
    "profiles"."lead",
    CAST(COALESCE("per_lead"."rule", 0) AS BIGINT) AS "rule",
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
  "rule"
FROM "totalled"
