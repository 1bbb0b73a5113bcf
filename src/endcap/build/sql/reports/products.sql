-- Which products were served, seen and clicked, whatever the placement: a tenth of `assortment`.
SELECT day, product, CAST(sum(served) AS BIGINT) AS served, CAST(sum(seen) AS BIGINT) AS seen,
       CAST(sum(clicked) AS BIGINT) AS clicked
FROM assortment GROUP BY ALL
