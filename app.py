"""The app, for ``streamlit run app.py -- RUNS_DIR``: `st.navigation` and nothing else (see `workbench.ui`)."""

from workbench.ui import main

if __name__ == "__main__":
    main()
