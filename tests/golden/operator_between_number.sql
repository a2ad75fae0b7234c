WITH "profiles" AS (
  SELECT
    "leads"."lead",
    "leads"."size"
  FROM "leads"
), "ruled" AS (
  SELECT
    "profiles"."lead",
    CAST(CASE
      WHEN CASE WHEN ISFINITE("profiles"."size") THEN CAST("profiles"."size" AS DOUBLE) END BETWEEN CAST('1.0' AS DOUBLE) AND CAST('2.5' AS DOUBLE)
      THEN 1000
      ELSE 0
    END AS BIGINT) AS "rule",
    COALESCE(TRUE, FALSE) AS "in audience"
  FROM "profiles"
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
