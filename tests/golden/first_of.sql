WITH "profiles" AS (
  SELECT
    "leads"."lead",
    "leads"."title",
    "leads"."title__words"
  FROM "leads"
), "ruled" AS (
  SELECT
    "profiles"."lead",
    CAST(COALESCE(
      CASE
        WHEN CONTAINS("profiles"."title__words", ' cto ')
        THEN 3000
        WHEN COALESCE("profiles"."title" <> '', FALSE)
        THEN 1000
      END,
      0
    ) AS BIGINT) AS "rule",
    CAST(CASE
      WHEN CONTAINS("profiles"."title__words", ' cto ')
      THEN 0
      WHEN COALESCE("profiles"."title" <> '', FALSE)
      THEN 1
    END AS BIGINT) AS "rule__choice",
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
  "rule",
  "rule__choice"
FROM "totalled"
